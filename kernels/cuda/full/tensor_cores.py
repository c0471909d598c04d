"""bfloat16 by tensor cores: products of 16 x 16 by 16 x 8 that a warp issues as one instruction, `mma.sync`.

A warp has 64 x 64 of out as sums in float32: 4 x 8 products, for which it loads 4 fragments of a and 4 pairs of b from tiles in
shared memory. The loop over the depth is that of `pipeline`. A tile's rows are padded by 16 bytes: eight successive rows then lie
in different banks, and a fragment is loaded without conflicts.

On Hopper the full rate is that of `wgmma`, which reads shared memory itself; see `kernels.triton`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kernels.cuda.full.blocking import Ideas
from kernels.cuda.full.pipeline import WARP, Tiles, over_depth
from kernels.cuda.launch import Grid, Rung
from kernels.cuda.primitives import VECTOR_BYTES, add_product, cuda, inlined, load_fragments, rounded_pair, unrolled

HIGH, WIDE, DEPTH = 64, 64, 32
"""Of a warp's part of out, and of the tiles in shared memory."""

PRODUCTS_DOWN, PRODUCTS_ACROSS, STEPS = HIGH // 16, WIDE // 8, DEPTH // 16
FRAGMENTS_B, PAIRS = PRODUCTS_ACROSS // 2, PRODUCTS_ACROSS * 2
SUMS, PART_A, PART_B = HIGH * WIDE // 32, PRODUCTS_DOWN * 4, PAIRS
"""Registers of a lane."""

PADDING = VECTOR_BYTES // 2
U32, U64 = np.uint32, np.uint64


@cache
def tensor_cores(copied: int, down: int = 2, across: int = 2) -> Rung:
    """The kernel, for a block of so many warps down and across, with so many elements copied at a time: 8 or 1."""

    def grid(m: int, p: int) -> Grid:
        return Grid((-(-p // (across * WIDE)), -(-m // (down * HIGH))), (down * across * WARP, 1))

    def make(dtype: Any) -> Any:
        return block(dtype, copied, down, across)

    return Rung(make, grid)


def block(dtype: Any, copied: int, down: int, across: int) -> Any:
    """A tile of out by a block's warps, so many down and across."""
    rows, columns = down * HIGH, across * WIDE
    pitch_a, pitch_b = DEPTH + PADDING, columns + PADDING
    ideas = Ideas(copied, asynchronous=copied > 1)  # an asynchronous copy has 4 bytes at least
    tiles, multiply_tile = Tiles(rows, columns, DEPTH, PADDING), multiplier(pitch_a, pitch_b)
    add = over_depth(dtype, tiles, down * across * WARP, ideas, multiply_tile, four_apart)

    def multiply(a: Any, b: Any, out: Any) -> None:
        sums = cuda.local.array(SUMS, np.float32)
        for i in range(SUMS):
            sums[i] = np.float32(0)
        thread = U64(cuda.threadIdx.x)
        i0, j0 = U64(cuda.blockIdx.y) * U64(rows), U64(cuda.blockIdx.x) * U64(columns)
        lane, warp = thread % U64(WARP), thread // U64(WARP)
        i1, j1 = warp // U64(across) * U64(HIGH), warp % U64(across) * U64(WIDE)

        # Where this lane's rows of a fragment start: 16 rows, then the same 8 columns further.
        lane_a = (i1 + lane % U64(16)) * U64(pitch_a) + lane // U64(16) * U64(8)
        lane_b = lane % U64(16) * U64(pitch_b) + j1 + lane // U64(16) * U64(8)
        add(a, b, i0, j0, lane_a, lane_b, sums)
        unrolled(PRODUCTS_DOWN, write_products, (out, i0 + i1 + lane // U64(4), j0 + j1 + lane % U64(4) * U64(2), sums))

    return multiply


@inlined
def four_apart(thread: Any) -> Any:
    """Rows that lie 4 apart are copied together: their 64 bytes each are in different banks, those of neighbours are not."""
    four = thread // U64(4) % U64(8)
    return thread - thread % U64(WARP) + (four // U64(2) + four % U64(2) * U64(4)) * U64(4) + thread % U64(4)


def multiplier(pitch_a: int, pitch_b: int) -> Any:
    """A device function: a warp's products of two tiles, whose rows are so many elements apart, 16 of the depth at a time."""

    @inlined
    def load_a(i: Any, s: Any, tile: Any, start: Any, part: Any) -> None:
        load_fragments(part, i * U64(4), tile, start, i * U64(16 * pitch_a) + s * U64(16), False)

    @inlined
    def load_b(j: Any, s: Any, tile: Any, start: Any, part: Any) -> None:
        load_fragments(part, j * U64(4), tile, start, s * U64(16 * pitch_b) + j * U64(16), True)

    @inlined
    def multiply_step(s: Any, tile_a: Any, start_a: Any, tile_b: Any, start_b: Any, sums: Any) -> None:
        part_a = cuda.local.array(PART_A, U32)
        part_b = cuda.local.array(PART_B, U32)
        unrolled(PRODUCTS_DOWN, load_a, (s, tile_a, start_a, part_a))
        unrolled(FRAGMENTS_B, load_b, (s, tile_b, start_b, part_b))
        unrolled(PRODUCTS_DOWN, add_row, (sums, part_a, part_b))

    @inlined
    def multiply_tile(tile_a: Any, start_a: Any, tile_b: Any, start_b: Any, sums: Any) -> None:
        unrolled(STEPS, multiply_step, (tile_a, start_a, tile_b, start_b, sums))

    return multiply_tile


@inlined
def add_row(i: Any, sums: Any, part_a: Any, part_b: Any) -> None:
    """A warp's products with the same fragment of a."""
    unrolled(PRODUCTS_ACROSS, add_one, (i, sums, part_a, part_b))


@inlined
def add_one(j: Any, i: Any, sums: Any, part_a: Any, part_b: Any) -> None:
    """One of them."""
    add_product(sums, (i * U64(PRODUCTS_ACROSS) + j) * U64(4), part_a, i * U64(4), part_b, j * U64(2))


@inlined
def write_products(i: Any, out: Any, row: Any, column: Any, sums: Any) -> None:
    """A lane's sums of a row of products: a pair each in two rows, 8 apart."""
    unrolled(PAIRS, write_pair, (i, out, row, column, sums))


@inlined
def write_pair(q: Any, i: Any, out: Any, row: Any, column: Any, sums: Any) -> None:
    """The q-th of them."""
    j, half = q // U64(2), q % U64(2)
    at = (i * U64(PRODUCTS_ACROSS) + j) * U64(4) + half * U64(2)
    y, x = row + i * U64(16) + half * U64(8), column + j * U64(8)
    pair = rounded_pair(sums[at], sums[at + U64(1)])
    if y < U64(out.shape[0]):
        if x < U64(out.shape[1]):
            out[y, x] = pair & U32(0xFFFF)
        if x + U64(1) < U64(out.shape[1]):
            out[y, x + U64(1)] = pair >> U32(16)
