"""The other stages: tiles in shared memory by 16 bytes at a time, fetched while the one before is multiplied.

    ask for the first tiles of a and b         in shared memory, two of each:
    for each depth of the product:                 a   rows x depth       as its rows are
        wait for this tile's copies                b   depth x columns    as its rows are
        ask for the next tiles, into the other ones
        multiply this tile's vectors, one after the other

What is assumed:
- depth is a multiple of a vector, and so are `wide` and `columns`; a block's threads copy whole rows of a tile at a time.
- Where more than one element is copied at a time, the operands' rows are in one piece, and they start and end at a whole vector.
- Where nothing is guarded, m, n and p are multiples of rows, depth and columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.cuda.full.blocking import WARP_COLUMNS, WARP_ROWS, Blocking, Ideas, lanes
from kernels.cuda.full.copies import copier
from kernels.cuda.full.products import multiplier
from kernels.cuda.full.writes import writer
from kernels.cuda.primitives import VECTOR_BYTES, commit_copies, cuda, looped, unrolled, wait_copies

WARP = WARP_ROWS * WARP_COLUMNS
U64 = np.uint64


def pipeline(dtype: Any, blocking: Blocking, ideas: Ideas) -> Callable[[Any, Any, Any], None]:
    """A tile of out, rows x columns, by a block's threads."""
    rows, columns, depth, high, wide = blocking
    size, width = np.dtype(dtype).itemsize, lanes(np.dtype(dtype).name)
    across, vectors = columns // (WARP_COLUMNS * wide), depth // width  # warps of a block; of a tile's depth
    both_a, both_b = 2 * rows * depth, 2 * depth * columns
    each = unrolled if ideas.unroll else looped
    place_a, copy_a = copier(dtype, (rows, depth), blocking.threads, ideas)
    place_b, copy_b = copier(dtype, (depth, columns), blocking.threads, ideas)
    multiply_vector, write = multiplier(dtype, blocking), writer(dtype, blocking, ideas)
    guarded = ideas.guarded

    def multiply(a: Any, b: Any, out: Any) -> None:
        tiles_a = cuda.shared.array(both_a, dtype, alignment=VECTOR_BYTES)
        tiles_b = cuda.shared.array(both_b, dtype, alignment=VECTOR_BYTES)
        sums = cuda.local.array((high, wide), dtype)
        part_a = cuda.local.array((high, width), dtype)
        part_b = cuda.local.array(wide, dtype)
        for i in range(high):
            for j in range(wide):
                sums[i, j] = dtype(0)
        thread = U64(cuda.threadIdx.x)
        i0, j0 = U64(cuda.blockIdx.y) * U64(rows), U64(cuda.blockIdx.x) * U64(columns)

        # What this thread copies: from its first place in a tile of a, and of b.
        ai, ak = place_a(thread)
        bk, bj = place_b(thread)
        down_a, along_a = U64(a.strides[0] // size), U64(a.strides[1] // size)
        down_b, along_b = U64(b.strides[0] // size), U64(b.strides[1] // size)
        from_a, from_b = (i0 + ai) * down_a + ak * along_a, bk * down_b + (j0 + bj) * along_b
        left, m = U64(a.shape[1]), U64(a.shape[0])
        left_a, inside_b = m - min(m, i0 + ai), not guarded or j0 + bj < U64(b.shape[1])

        # What it multiplies: its first row and column of the tile of out.
        lane, warp = thread % U64(WARP), thread // U64(WARP)
        i1 = warp // U64(across) * U64(WARP_ROWS * high) + lane // U64(WARP_COLUMNS)
        j1 = warp % U64(across) * U64(WARP_COLUMNS * wide) + lane % U64(WARP_COLUMNS) * U64(width)

        at_a, at_b = U64(0), U64(0)
        copy_a(thread, tiles_a, at_a, a, from_a, down_a, left_a, ak < left)
        copy_b(thread, tiles_b, at_b, b, from_b, down_b, left - min(left, bk), inside_b and bk < left)
        commit_copies()
        while left > U64(0):
            left -= min(left, U64(depth))
            from_a += U64(depth) * along_a
            from_b += U64(depth) * down_b
            next_a, next_b = U64(rows * depth) - at_a, U64(depth * columns) - at_b
            wait_copies(0)
            cuda.syncthreads()  # the copies of all are here, and no thread reads the other tiles any more
            copy_a(thread, tiles_a, next_a, a, from_a, down_a, left_a, ak < left)
            copy_b(thread, tiles_b, next_b, b, from_b, down_b, left - min(left, bk), inside_b and bk < left)
            commit_copies()
            each(vectors, multiply_vector, (tiles_a, at_a + i1 * U64(depth), tiles_b, at_b + j1, part_a, part_b, sums))
            at_a, at_b = next_a, next_b
        wait_copies(0)  # zeros, of a tile beyond the last
        write(out, i0 + i1, j0 + j1, sums)

    return multiply
