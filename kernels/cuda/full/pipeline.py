"""The loop over the depth: tiles of a and b in shared memory, fetched while the ones before are multiplied.

    ask for the first tiles of a and b         in shared memory, two of each:
    for each depth of the product:                 a   rows x depth       as its rows are
        wait for this tile's copies                b   depth x columns    as its rows are
        ask for the next tiles, into the other ones
        multiply this tile's vectors, one after the other

`pipeline` multiplies the tiles by CUDA cores, `kernels.cuda.full.tensor_cores` by tensor cores.

What is assumed:
- A block's threads copy whole rows of a tile at a time. In `pipeline` depth, `wide` and `columns` are multiples of a vector.
- Where more than one element is copied at a time, the operands' rows are in one piece, and they start and end at a whole vector.
- Where nothing is guarded, m, n and p are multiples of rows, depth and columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kernels.cuda.full.blocking import WARP_COLUMNS, WARP_ROWS, Blocking, Ideas, lanes
from kernels.cuda.full.copies import copier
from kernels.cuda.full.products import multiplier
from kernels.cuda.full.writes import writer
from kernels.cuda.primitives import VECTOR_BYTES, commit_copies, cuda, inlined, looped, unrolled, wait_copies

WARP = WARP_ROWS * WARP_COLUMNS
U64 = np.uint64


class Tiles(NamedTuple):
    """A block's tiles of a (rows x depth) and b (depth x columns), and by how many elements their rows are padded."""

    rows: int
    columns: int
    depth: int
    padding: int = 0


@inlined
def same(thread: Any) -> Any:
    """A thread's own place among those that copy."""
    return thread


def over_depth(dtype: Any, tiles: Tiles, threads: int, ideas: Ideas, multiply_tile: Any, place_of: Any = same) -> Any:
    """A device function ``add(a, b, i0, j0, start_a, start_b, sums)``: rows of a from `i0` on by columns of b from `j0` on.

    Parameters
    ----------
    dtype : type
    tiles : Tiles
    threads : int
        Of a block.
    ideas : Ideas
    multiply_tile : device function
        ``multiply_tile(tile_a, start_a, tile_b, start_b, sums)``: a thread's share of the product of two tiles, read from its
        own `start_a` and `start_b` on.
    place_of : device function
        Which part of a's tile a thread copies: that of the thread whose number is returned.
    """
    rows, columns, depth, padding = tiles
    pitch_a, pitch_b = depth + padding, columns + padding
    one_a, one_b, size = rows * pitch_a, depth * pitch_b, np.dtype(dtype).itemsize
    both_a, both_b = 2 * one_a, 2 * one_b
    place_a, copy_a = copier(dtype, (rows, depth), threads, ideas, pitch_a)
    place_b, copy_b = copier(dtype, (depth, columns), threads, ideas, pitch_b)
    guarded = ideas.guarded

    @inlined
    def add(a: Any, b: Any, i0: Any, j0: Any, start_a: Any, start_b: Any, sums: Any) -> None:
        tiles_a = cuda.shared.array(both_a, dtype, alignment=VECTOR_BYTES)
        tiles_b = cuda.shared.array(both_b, dtype, alignment=VECTOR_BYTES)

        # What this thread copies: from its first place in a tile of a, and of b.
        thread = U64(cuda.threadIdx.x)
        copier_a = place_of(thread)
        ai, ak = place_a(copier_a)
        bk, bj = place_b(thread)
        down_a, along_a = U64(a.strides[0] // size), U64(a.strides[1] // size)
        down_b, along_b = U64(b.strides[0] // size), U64(b.strides[1] // size)
        from_a, from_b = (i0 + ai) * down_a + ak * along_a, bk * down_b + (j0 + bj) * along_b
        left, m = U64(a.shape[1]), U64(a.shape[0])
        left_a, inside_b = m - min(m, i0 + ai), not guarded or j0 + bj < U64(b.shape[1])

        at_a, at_b = U64(0), U64(0)
        copy_a(copier_a, tiles_a, at_a, a, from_a, down_a, left_a, ak < left)
        copy_b(thread, tiles_b, at_b, b, from_b, down_b, left - min(left, bk), inside_b and bk < left)
        commit_copies()
        while left > U64(0):
            left -= min(left, U64(depth))
            from_a += U64(depth) * along_a
            from_b += U64(depth) * down_b
            next_a, next_b = U64(one_a) - at_a, U64(one_b) - at_b
            wait_copies(0)
            cuda.syncthreads()  # the copies of all are here, and no thread reads the other tiles any more
            copy_a(copier_a, tiles_a, next_a, a, from_a, down_a, left_a, ak < left)
            copy_b(thread, tiles_b, next_b, b, from_b, down_b, left - min(left, bk), inside_b and bk < left)
            commit_copies()
            multiply_tile(tiles_a, at_a + start_a, tiles_b, at_b + start_b, sums)
            at_a, at_b = next_a, next_b
        wait_copies(0)  # zeros, of a tile beyond the last

    return add


def pipeline(dtype: Any, blocking: Blocking, ideas: Ideas) -> Callable[[Any, Any, Any], None]:
    """A tile of out, rows x columns, by a block's threads, on CUDA cores."""
    rows, columns, depth, high, wide = blocking
    width = lanes(np.dtype(dtype).name)
    across, vectors = columns // (WARP_COLUMNS * wide), depth // width  # warps of a block; of a tile's depth
    each = unrolled if ideas.unroll else looped
    multiply_vector, write = multiplier(dtype, blocking), writer(dtype, blocking, ideas)

    @inlined
    def multiply_tile(tile_a: Any, start_a: Any, tile_b: Any, start_b: Any, sums: Any) -> None:
        part_a = cuda.local.array((high, width), dtype)
        part_b = cuda.local.array(wide, dtype)
        each(vectors, multiply_vector, (tile_a, start_a, tile_b, start_b, part_a, part_b, sums))

    add = over_depth(dtype, Tiles(rows, columns, depth), blocking.threads, ideas, multiply_tile)

    def multiply(a: Any, b: Any, out: Any) -> None:
        sums = cuda.local.array((high, wide), dtype)
        for i in range(high):
            for j in range(wide):
                sums[i, j] = dtype(0)
        thread = U64(cuda.threadIdx.x)
        i0, j0 = U64(cuda.blockIdx.y) * U64(rows), U64(cuda.blockIdx.x) * U64(columns)
        lane, warp = thread % U64(WARP), thread // U64(WARP)
        # The first row and column of the tile of out that this thread has.
        i1 = warp // U64(across) * U64(WARP_ROWS * high) + lane // U64(WARP_COLUMNS)
        j1 = warp % U64(across) * U64(WARP_COLUMNS * wide) + lane % U64(WARP_COLUMNS) * U64(width)
        add(a, b, i0, j0, i1 * U64(depth), j1, sums)
        write(out, i0 + i1, j0 + j1, sums)

    return multiply
