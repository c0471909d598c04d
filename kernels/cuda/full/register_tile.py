"""The first stage, in plain Numba: a thread has a tile of out in registers, and each element loaded serves a row or column of it.

Where `tiled` loads two elements from shared memory for each multiply-add, this loads (high + wide) for high x wide of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.cuda.full.blocking import Blocking
from kernels.cuda.primitives import cuda


def register_tile(dtype: Any, blocking: Blocking) -> Callable[[Any, Any, Any], None]:
    """A tile of out, rows x columns, by so many threads."""
    rows, columns, depth, high, wide = blocking
    threads, across, down = blocking.threads, columns // wide, rows // high

    def multiply(a: Any, b: Any, out: Any) -> None:
        tile_a = cuda.shared.array((rows, depth), dtype)
        tile_b = cuda.shared.array((depth, columns), dtype)
        sums = cuda.local.array((high, wide), dtype)
        column = cuda.local.array(high, dtype)
        row = cuda.local.array(wide, dtype)
        thread = cuda.threadIdx.x
        y, x = thread // across, thread % across
        i0, j0 = cuda.blockIdx.y * rows, cuda.blockIdx.x * columns
        for i in range(high):
            for j in range(wide):
                sums[i, j] = dtype(0)
        for k0 in range(0, a.shape[1], depth):
            for at in range(thread, rows * depth, threads):
                i, k = at // depth, at % depth
                inside = i0 + i < a.shape[0] and k0 + k < a.shape[1]
                tile_a[i, k] = a[i0 + i, k0 + k] if inside else dtype(0)
            for at in range(thread, depth * columns, threads):
                k, j = at // columns, at % columns
                inside = k0 + k < b.shape[0] and j0 + j < b.shape[1]
                tile_b[k, j] = b[k0 + k, j0 + j] if inside else dtype(0)
            cuda.syncthreads()
            for k in range(depth):
                for i in range(high):
                    column[i] = tile_a[i * down + y, k]
                for j in range(wide):
                    row[j] = tile_b[k, j * across + x]
                for i in range(high):
                    for j in range(wide):
                        sums[i, j] += column[i] * row[j]
            cuda.syncthreads()
        for i in range(high):
            for j in range(wide):
                to_i, to_j = i0 + i * down + y, j0 + j * across + x
                if to_i < out.shape[0] and to_j < out.shape[1]:
                    out[to_i, to_j] = sums[i, j]

    return multiply
