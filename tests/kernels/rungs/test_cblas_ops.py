"""The libraries behind CBLAS: beside each other and torch in one process, held to their threads, and where one is absent."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from kernels.rungs import cblas_ops
from kernels.testing.layouts import c, fortran, strided, unaligned

PEERS = ("openblas/full", "mkl/full", "aocl/full")
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the wheels of the extra `peers` are for Linux on x86-64"
)


def python(code, *arguments):
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


TORCH_MKL = """
import torch
def torch_mkl():
    return torch.__config__.show().partition("Math Kernel Library Version ")[2].partition(" ")[0]
"""


@pytest.fixture(scope="module")
def mkl_of_torch_alone():
    return python(TORCH_MKL + "print(torch_mkl())")


ORDERS = [("numpy/full", "torch/full", *PEERS), (*PEERS, "torch/full"), ("mkl/full", "torch/full", "aocl/full")]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0])
def test_all_are_right_in_one_process_and_torch_keeps_its_own_mkl(order, mkl_of_torch_alone):
    code = """
import sys
import numpy as np, kernels
from kernels.accuracy import bound, error
random = np.random.default_rng(0)
a, b = (random.standard_normal((200, 200)).astype("float32") for _ in "ab")
for _ in range(3):
    for name in sys.argv[1:]:
        out = np.full((200, 200), np.nan, "float32")
        if name == "torch/full":
            import torch
            kernels.matmul(*map(torch.from_numpy, (a, b, out)), kernel=name)
        else:
            kernels.matmul(a, b, out, kernel=name)
        assert error(a, b, out) <= bound(200, "float32"), name
"""
    assert python(code + TORCH_MKL + "print(torch_mkl())", *order) == mkl_of_torch_alone


@pytest.mark.parametrize("name", PEERS)
def test_a_library_is_held_to_its_threads(name):
    """Processor time tells: one thread cannot take more of it than there is time.

    The least of some products counts, since the threads of a library just loaded wait for work in a loop at first.
    """
    code = """
import sys, time
import numpy as np, kernels
from benchmarks.harness.host.threads import limited_to, settings
multiply, a = kernels.find(sys.argv[1]).function, np.ones((1500, 1500))
out = np.empty_like(a)
shares = []
with limited_to(1):
    for _ in range(4):
        wall, cpu = time.perf_counter(), time.process_time()
        multiply(a, a, out)
        shares.append((time.process_time() - cpu) / (time.perf_counter() - wall))
print(min(shares))
with limited_to(2):
    print(settings()[sys.argv[2]])
"""
    library = {"openblas/full": "openblas", "mkl/full": "mkl", "aocl/full": "blis"}[name]
    share, threads = python(code, name, library)
    assert float(share) < 1.05
    assert int(threads) == 2


def test_an_absent_wheel_costs_its_own_rows_alone():
    code = """
from importlib import metadata
there = metadata.distribution
def distribution(name):
    if name == "mkl":
        raise metadata.PackageNotFoundError(name)
    return there(name)
metadata.distribution = distribution
import kernels
print(kernels.unavailable()["mkl"].replace(" ", "_"), kernels.find("aocl/full").name, len(kernels.available("mkl/*")))
"""
    assert python(code) == ["mkl_is_not_installed:_pip_install_mkl", "aocl/full", "0"]


def test_another_platform_s_wheel_says_so():
    with pytest.raises(ImportError, match="scipy-openblas64 has no libblas on this platform"):
        cblas_ops._load("scipy-openblas64", "libblas")


def test_rows_or_columns_in_one_piece_are_not_copied():
    x = np.arange(35.0).reshape(5, 7)
    wide = np.zeros((5, 20))[:, 3:10]
    for laid, order, leading in ((c(x), 101, 7), (fortran(x), 102, 5), (wide, 101, 20), (wide.T, 102, 20)):
        taken, *how = cblas_ops._laid(laid)
        assert taken is laid
        assert how == [order, leading]
    for laid in strided(x), unaligned(x), x[::-1]:
        copy, order, leading = cblas_ops._laid(laid)
        assert (order, leading) == (101, 7)
        assert not np.shares_memory(copy, laid)
