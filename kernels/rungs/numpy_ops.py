"""The textbook's rungs in numpy: fewer and larger calls from one function to the next, the same 2mnp flops in each.

What a call costs (about a microsecond) is paid m p, m, p, p / width and 1 times; what a byte costs falls with the reuse of
each operand. `full` is the OpenBLAS that numpy brings, behind ``np.matmul``: the peer that every user has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.registry import kernel
from kernels.rungs.loop_tiles import square_tile

Matrix = NDArray[Any]


@kernel("numpy", "elementwise")
def elementwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """M p dot products of length n, a call each."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.dot(a[i, :], b[:, j])


@kernel("numpy", "rowwise", threads=True)
def rowwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """M vector-matrix products, which read b row by row, m times in all."""
    for i in range(out.shape[0]):
        np.matmul(a[i, :], b, out=out[i, :])


@kernel("numpy", "columnwise", threads=True)
def columnwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """P matrix-vector products, which read a p times in all."""
    for j in range(out.shape[1]):
        np.matmul(a, b[:, j], out=out[:, j])


@kernel("numpy", "block", threads=True, tile={"width": 64})
def block(a: Matrix, b: Matrix, out: Matrix, width: int) -> None:
    """P / width products with a slab of b's columns: the BLAS's own speed from a width of some dozens on."""
    for j in range(0, out.shape[1], width):
        np.matmul(a, b[:, j : j + width], out=out[:, j : j + width])


@kernel("numpy", "tiled", threads=True, tile=square_tile)
def tiled(a: Matrix, b: Matrix, out: Matrix, tm: int, tn: int, tp: int) -> None:
    """Products of tiles, added up over n; numpy has no multiply-add, so each sum passes through a temporary tile."""
    out[...] = 0
    for i in range(0, a.shape[0], tm):
        for k in range(0, a.shape[1], tn):
            for j in range(0, b.shape[1], tp):
                out[i : i + tm, j : j + tp] += a[i : i + tm, k : k + tn] @ b[k : k + tn, j : j + tp]


@kernel("numpy", "full", threads=True, peer=True)
def full(a: Matrix, b: Matrix, out: Matrix) -> None:
    """One call of the BLAS's gemm."""
    np.matmul(a, b, out=out)
