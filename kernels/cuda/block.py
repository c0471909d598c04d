"""A slab of b's columns in shared memory, which a band of rows of a uses: b is read once a band rather than once a row.

A thread has one element of out. Of its two loads a multiply-add, that of b is now from shared memory, and that of a is the same
for a whole warp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.cuda.launch import MOST_SHARED_BYTES, Grid, rung
from kernels.cuda.primitives import cuda

THREADS = 512
DEPTH = 16
"""Rows of b that are in shared memory at a time."""


def grid(m: int, p: int, width: int) -> Grid:
    """A block has `width` columns, and as many rows as threads are left for.

    Raises
    ------
    ValueError
        If a block cannot have so much shared memory in float64.
    """
    widest = MOST_SHARED_BYTES // (8 * DEPTH)
    if not 1 <= width <= widest:
        raise ValueError(f"width: expected 1 to {widest} columns in a block, got {width}")
    rows = max(1, THREADS // width)
    return Grid((-(-m // rows), -(-p // width)), (width, rows))


@rung("block", grid, width=64)
def block(dtype: Any, width: int) -> Callable[[Any, Any, Any], None]:
    """A slab of b's columns in shared memory, used by a band of rows of a."""
    rows = grid(1, 1, width).threads[1]

    def multiply(a: Any, b: Any, out: Any) -> None:
        slab = cuda.shared.array((DEPTH, width), dtype)
        down, along = cuda.threadIdx.y, cuda.threadIdx.x
        i, j = cuda.blockIdx.x * rows + down, cuda.blockIdx.y * width + along
        total = dtype(0)
        k0 = 0
        while k0 < a.shape[1]:
            depth = min(DEPTH, a.shape[1] - k0)
            k = down
            while k < depth:
                slab[k, along] = b[k0 + k, j] if j < b.shape[1] else dtype(0)
                k += rows
            cuda.syncthreads()
            k = 0
            while k < depth and i < a.shape[0]:
                total += a[i, k0 + k] * slab[k, along]
                k += 1
            cuda.syncthreads()
            k0 += DEPTH
        if i < out.shape[0] and j < out.shape[1]:
            out[i, j] = total

    return multiply
