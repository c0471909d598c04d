"""Without a GPU: kernels are simulated, compiled and assembled in an interpreter that has numba-cuda, a process for each."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from plugin import python

ROOT = Path(__file__).parents[3]
APART = Path(__file__).parent / "apart"
"""What this interpreter need not be able to import."""


def test_without_numba_cuda_a_kernel_says_how_to_install_it():
    code = """
import sys
sys.modules["numba_cuda"] = None
import kernels
try:
    kernels.find("numba-cuda/full")
except kernels.Unavailable as error:
    print(error)
    print(kernels.find("numpy/full").name)
"""
    reason = "kernel 'numba-cuda/full' is unavailable: numba_cuda is not installed: pip install 'minisgd[cuda]'"
    assert python(code).splitlines() == [reason, "numpy/full"]


CHECKS = {"simulated.py": "1", "launched.py": "1", "accessed.py": "1", "compiled.py": "0", ROOT / "kernels/cuda": "0"}
"""Each with whether it needs the simulator; the last are doctests."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("checks", "simulator"), CHECKS.items(), ids=str)
def test_without_a_device(checks, simulator):
    interpreter = os.environ.get("CUDA_PYTHON")
    if not interpreter:
        pytest.skip("CUDA_PYTHON names no interpreter that has numba-cuda; make test sets one up")
    done = subprocess.run(
        [Path(interpreter).absolute(), "-m", "pytest", "-q", "-o", "addopts=--doctest-modules", APART / checks],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": simulator}, cwd=ROOT, capture_output=True, text=True, timeout=870,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
