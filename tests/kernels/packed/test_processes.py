"""The product in processes of its own: beside unmapped memory, forked, with other threads, features or caches."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from kernels.cpu.vectors import vectors


def guarded(x, at_end):
    """A copy of x that ends, or begins, where memory that may not be touched begins, or ends."""
    page = mmap.PAGESIZE
    inner = -(-max(x.nbytes, 1) // page) * page
    room = mmap.mmap(-1, inner + 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    for guard in (start, start + page + inner):
        assert mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    offset = page + (inner - x.nbytes if at_end else 0)
    copy = np.frombuffer(room, x.dtype, x.size, offset).reshape(x.shape)
    copy[...] = x
    return copy


GUARD = """
import itertools, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from test_gemm import DEPTH, ROWS, MAX_NR, WIDTH, check, operands
from test_processes import guarded
heights, widths = (1, ROWS, MAX_NR, 2 * ROWS + 1), (1, 3, 16, WIDTH // 2 + 1, WIDTH, WIDTH + 15)
for m, n, p in itertools.product(heights, (1, 7, DEPTH + 1), widths):
    for dtype, at_end in itertools.product(("float32", "float64"), (False, True)):
        for turned in range(8):
            laid = [guarded(x.T if turned >> i & 1 else x, at_end) for i, x in enumerate(operands(m, n, p, dtype))]
            check(*(x.T if turned >> i & 1 else x for i, x in enumerate(laid)))
several = (60, 400, 601), (200, 131, 333), (75, 1501, 35), (1, 203, 9001), (1, 1001, 1103), (1103, 1001, 1)
for m, n, p in several:  # on threads, and single rows and columns
    for dtype, at_end in itertools.product(("float32", "float64"), (False, True)):
        laid = [guarded(x, at_end) for x in operands(m, n, p, dtype)]
        check(*laid)
        check(laid[0], guarded(np.ascontiguousarray(laid[1].T), at_end).T, laid[2])
for m, n, p in ((17, 70, 2), (19, DEPTH + 1, 3), (40, 300, 5), (23, 601, 4), (41, 603, 9), (2 * ROWS + 1, 70, 2 * WIDTH + 1)):
    for dtype, at_end in itertools.product(("float32", "float64"), (False, True)):  # few columns, and strides
        a, b, out = (guarded(np.repeat(np.repeat(x, 2, 0), 3, 1), at_end) for x in operands(m, n, p, dtype))
        check(a[1::2, 2::3], b[1::2, 2::3], out[1::2, 2::3], beta=0.5)
        check(a[::-2, ::-3], b[::-2, ::-3], out[::-2, ::-3])
        check(*(guarded(x, at_end) for x in operands(m, n, p, dtype)))
print("untouched")
"""


@pytest.mark.skipif(not hasattr(ctypes.pythonapi, "Py_IsInitialized") or sys.platform == "win32", reason="needs mprotect")
def test_nothing_outside_the_operands_is_touched():
    done = subprocess.run(
        [sys.executable, "-c", GUARD, os.path.dirname(__file__)], capture_output=True, text=True, timeout=280,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == "untouched", f"status {done.returncode}: {done.stderr[-500:]}"


LAYER = """
import multiprocessing, os, sys, threading
import numba
numba.config.THREADING_LAYER = sys.argv[1]
import numpy as np
from kernels.packed import gemm
def product(_=None):
    a, b, out = np.ones((300, 200)), np.ones((200, 310)), np.empty((300, 310))
    gemm(a, b, out)
    assert (out == 200).all()
    return 1
product()
threads = [threading.Thread(target=product) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map_async(product, range(6)).get(60) == [1] * 6
product()
print("fine on", numba.threading_layer())
"""


LAYERS = ["omp", "workqueue", *(["tbb"] if sys.platform == "linux" and platform.machine() == "x86_64" else [])]


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.parametrize("layer", LAYERS)
def test_threads_and_forks_with_each_threading_layer(layer):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LAYER, layer], capture_output=True, text=True, timeout=200,
        env=os.environ | {"LD_LIBRARY_PATH": f"{sys.prefix}/lib"},
    )  # fmt: skip
    assert f"fine on {layer}" in done.stdout, done.stderr


NARROWER = """
import itertools, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from test_gemm import DEPTH, ROWS, WIDTH, check, operands
from kernels.cpu.vectors import vectors
shapes = itertools.product((1, ROWS + 1, 40), (1, 7, DEPTH + 5), (1, 3, WIDTH - 1, 2 * WIDTH + 3))
for (m, n, p), dtype in itertools.product((*shapes, (150, 600, 170), (64, 1500, 20)), ("float32", "float64")):
    a, b, out = operands(m, n, p, dtype)
    for x, y in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b), np.repeat(b, 2, 1)[:, ::2])):
        check(x, y, out, 1.5, -0.5)
print(vectors().name)
"""


NARROW = {"AVX2": ("haswell", "+avx,+avx2,+fma,+sse2"), "128-bit": ("x86-64", "+sse,+sse2")}
"""What numba is told of a CPU that has no wider vectors; this one's own have all other tests."""


@pytest.mark.skipif(vectors().name not in ("AVX-512", "AVX2"), reason="asks an x86 for less than it has")
@pytest.mark.parametrize("name", [each for each in NARROW if each != vectors().name])
def test_products_are_right_with_narrower_vectors(name):
    cpu, features = NARROW[name]
    done = subprocess.run(
        [sys.executable, "-c", NARROWER, os.path.dirname(__file__)], capture_output=True, text=True, timeout=280,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features},
    )  # fmt: skip
    assert done.stdout.strip() == name, f"status {done.returncode}: {done.stderr[-500:]}"


WARMED = """
import numba, numpy as np
from numba.core import event
from kernels.packed.gemm import gemm
numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
with event.install_recorder("numba:compile") as compiled:
    for dtype in ("float32", "float64"):
        gemm(*(np.ones((300, 300), dtype) for _ in range(3)))
print(*sorted({each.data["dispatcher"].__name__ for _, each in compiled.buffer}))
"""


def test_a_warmed_process_compiles_nothing():
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


FORKED = """
import os, signal, sys, threading, time
import numpy as np
import kernels

a, b = np.ones((200, 150)), np.ones((150, 120))

threads = [threading.Thread(target=kernels.matmul, args=(a, b), daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
right = []
for wait_s in (0.0, 0.05, 0.3, 1.0, 3.0):
    time.sleep(wait_s)
    child = os.fork()
    if not child:
        signal.alarm(100)  # a child that hangs is killed, and counts
        os._exit(0 if np.allclose(kernels.matmul(a, b), 150) else 1)
    right.append(os.waitpid(child, 0)[1] == 0)
for thread in threads:
    thread.join()
print(right)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_while_other_threads_load_and_compile_leaves_a_child_that_multiplies(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=280,
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},  # nothing is compiled yet
    )  # fmt: skip
    assert done.stdout.strip() == str([True] * 5), f"status {done.returncode}: {done.stderr[-500:]}"
