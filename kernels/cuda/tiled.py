"""Tiles of a and b in shared memory: every element fetched is used a tile's width of times, or a tile's height.

A thread has one element of a tm x tp tile of out, and fetches its share of the tiles tm x tn of a and tn x tp of b. Memory is
read a tile's edge less often than by `rowwise`; what remains are the two loads from shared memory for each multiply-add.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.cuda.launch import MOST_SHARED_BYTES, MOST_THREADS, Grid, rung
from kernels.cuda.primitives import cuda


def grid(m: int, p: int, tm: int, tn: int, tp: int) -> Grid:
    """A thread for each element of a tile.

    Raises
    ------
    ValueError
        If a block cannot have so many threads, or so much shared memory in float64.
    """
    shared = 8 * tn * (tm + tp)
    if min(tm, tn, tp) < 1 or tm * tp > MOST_THREADS or shared > MOST_SHARED_BYTES:
        limit = f"at most {MOST_THREADS} threads and {MOST_SHARED_BYTES} bytes"
        raise ValueError(f"tile: expected {limit} a block, got tm tp = {tm * tp} and 8 tn (tm + tp) = {shared}")
    return Grid((-(-m // tm), -(-p // tp)), (tp, tm))


@rung("tiled", grid, tm=32, tn=32, tp=32)
def tiled(dtype: Any, tm: int, tn: int, tp: int) -> Callable[[Any, Any, Any], None]:
    """Tiles of a and b in shared memory, a thread for each element of a tile of out."""

    def multiply(a: Any, b: Any, out: Any) -> None:
        tile_a = cuda.shared.array((tm, tn), dtype)
        tile_b = cuda.shared.array((tn, tp), dtype)
        down, along = cuda.threadIdx.y, cuda.threadIdx.x
        i, j = cuda.blockIdx.x * tm + down, cuda.blockIdx.y * tp + along
        total = dtype(0)
        k0 = 0
        while k0 < a.shape[1]:
            k = along
            while k < tn:
                tile_a[down, k] = a[i, k0 + k] if i < a.shape[0] and k0 + k < a.shape[1] else dtype(0)
                k += tp
            k = down
            while k < tn:
                tile_b[k, along] = b[k0 + k, j] if k0 + k < b.shape[0] and j < b.shape[1] else dtype(0)
                k += tm
            cuda.syncthreads()
            for k in range(tn):
                total += tile_a[down, k] * tile_b[k, along]
            cuda.syncthreads()
            k0 += tn
        if i < out.shape[0] and j < out.shape[1]:
            out[i, j] = total

    return multiply
