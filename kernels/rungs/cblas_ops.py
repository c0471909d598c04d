"""The libraries that users would pick instead, each in its newest wheel, called through CBLAS: OpenBLAS, oneMKL, AOCL-BLAS.

`full` is one call of the library's own gemm; the cost of Python and ctypes shows below size 64. A library chooses its
code by the CPU that it finds, and its threads are set by its own call (`benchmarks.harness.host.threads`).
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from fnmatch import fnmatchcase
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.registry import kernel

Matrix = NDArray[Any]

ROW_MAJOR, COLUMN_MAJOR = 101, 102
AS_IT_IS, TRANSPOSED = 111, 112
"""Of cblas.h."""

MKL_LP64, MKL_GNU = 0, 3
"""Of mkl_service.h: 32-bit integers; threads by the OpenMP that torch and numba use."""

MODE = getattr(os, "RTLD_NOW", 0) | getattr(os, "RTLD_DEEPBIND", 0)
"""A library finds its own names before others': MKL makes its cblas_sgemm known to all that is loaded later."""


LIBRARIES: dict[str, ctypes.CDLL] = {}
"""Those that are loaded, by backend."""


def openblas() -> None:
    """Register OpenBLAS, which has 64-bit integers in this wheel, and names of its own."""
    (library,) = _load("scipy-openblas64", "libscipy_openblas64_.*")
    _register("openblas", library, "scipy_cblas_{}gemm64_", ctypes.c_int64)


def mkl() -> None:
    """Register oneMKL."""
    # Imported later, torch would take the names that it shares with MKL from this one, not from its own of another version.
    with suppress(ModuleNotFoundError):
        import torch  # noqa: F401
    (library,) = _load("mkl", "libmkl_rt.so.*")
    library.MKL_Set_Interface_Layer(MKL_LP64)
    library.MKL_Set_Threading_Layer(MKL_GNU)
    _register("mkl", library, "cblas_{}gemm", ctypes.c_int)


def aocl() -> None:
    """Register AOCL-BLAS, AMD's BLIS. Nothing tells the loader where its OpenMP lies: that goes first."""
    *_, library = _load("aoclda", "libomp-*.so*", "libaoclutils-*.so*", "libblis-mt-*.so*")
    _register("aocl", library, "cblas_{}gemm", ctypes.c_int)


def _load(distribution: str, *patterns: str) -> list[ctypes.CDLL]:
    """Shared libraries of an installed distribution, one for each pattern of a file's name, loaded in that order.

    Raises
    ------
    ModuleNotFoundError
        If the distribution is not installed.
    ImportError
        If it has no such file: another platform's wheel, say.
    """
    files = metadata.distribution(distribution).files or []
    found = []
    for pattern in patterns:
        file = next((file for file in files if fnmatchcase(file.name, pattern)), None)
        if file is None:
            raise ImportError(f"{distribution} has no {pattern} on this platform")
        found.append(ctypes.CDLL(os.path.realpath(str(file.locate())), MODE))
    return found


def _register(backend: str, library: ctypes.CDLL, name: str, integer: type) -> None:
    """Enter the library's gemm, whose name has a place for BLAS's letter, into the table."""
    gemms = {}
    for dtype, letter, real in (("float32", "s", ctypes.c_float), ("float64", "d", ctypes.c_double)):
        gemm = getattr(library, name.format(letter))
        operand = ctypes.c_void_p, integer  # with its leading dimension
        gemm.argtypes = [*[ctypes.c_int] * 3, *[integer] * 3, real, *operand, *operand, real, *operand]
        gemm.restype = None
        gemms[np.dtype(dtype)] = gemm

    @kernel(backend, "full", threads=True, peer=True)
    def full(a: Matrix, b: Matrix, out: Matrix) -> None:
        """One call of the library's gemm, through CBLAS."""
        _multiply(gemms[out.dtype], a, b, out)

    LIBRARIES[backend] = library


def _multiply(gemm: Any, a: Matrix, b: Matrix, out: Matrix) -> None:
    (m, n), p = a.shape, b.shape[1]
    if 0 in (m, n, p):
        out.fill(0)
        return
    (a, a_order, lda), (b, b_order, ldb), (c, order, ldc) = _laid(a), _laid(b), _laid(out)
    gemm(
        order, AS_IT_IS if a_order == order else TRANSPOSED, AS_IT_IS if b_order == order else TRANSPOSED,
        m, p, n, 1.0, _address(a), lda, _address(b), ldb, 0.0, _address(c), ldc,
    )  # fmt: skip
    if c is not out:
        out[...] = c


def _laid(x: Matrix) -> tuple[Matrix, int, int]:
    """A matrix whose rows, or columns, lie in one piece: x itself if it is so, else a copy. Its order and leading dimension."""
    (rows, columns), (down, along), size = x.shape, x.strides, x.itemsize
    if x.flags.aligned:
        if along == size and down >= columns * size:
            return x, ROW_MAJOR, down // size
        if down == size and along >= rows * size:
            return x, COLUMN_MAJOR, along // size
    return x.copy(), ROW_MAJOR, columns


def _address(x: Matrix) -> int | None:
    """Where the elements begin. An array is a Python object and then this pointer (numpy's C API, PyArrayObject).

    ``x.ctypes.data`` takes six times as long, a quarter of the time of a small product.
    """
    return ctypes.c_void_p.from_address(id(x) + object.__basicsize__).value
