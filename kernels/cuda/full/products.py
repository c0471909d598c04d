"""A thread's multiply-adds: vectors go from shared memory to registers, where an element serves a row or column of sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.cuda.full.blocking import WARP_COLUMNS, WARP_ROWS, Blocking, lanes
from kernels.cuda.primitives import inlined, load, unrolled

U64 = np.uint64


def multiplier(dtype: Any, blocking: Blocking) -> Any:
    """A device function that adds up the products of one vector of each of a thread's rows of a, and as many rows of b.

    For a float32 vector, 4 deep, that is 512 multiply-adds for 8 loads of a and 16 of b, all of 128 bits.
    """
    _, columns, depth, high, wide = blocking
    width = lanes(np.dtype(dtype).name)
    vectors = wide // width

    @inlined
    def load_a(i: Any, q: Any, tile: Any, start: Any, part: Any) -> None:
        load(part, i * U64(width), tile, start, i * U64(WARP_ROWS * depth) + q * U64(width), width)

    @inlined
    def load_b(g: Any, k: Any, tile: Any, start: Any, part: Any) -> None:
        load(part, g * U64(width), tile, start, k * U64(columns) + g * U64(WARP_COLUMNS * width), width)

    @inlined
    def add_products(e: Any, q: Any, tile: Any, start: Any, part_a: Any, part_b: Any, sums: Any) -> None:
        unrolled(vectors, load_b, (q * U64(width) + e, tile, start, part_b))
        for i in range(high):
            for j in range(wide):
                sums[i, j] += part_a[i, e] * part_b[j]

    @inlined
    def multiply_vector(
        q: Any, tile_a: Any, start_a: Any, tile_b: Any, start_b: Any, part_a: Any, part_b: Any, sums: Any
    ) -> None:  # fmt: skip
        unrolled(high, load_a, (q, tile_a, start_a, part_a))
        unrolled(width, add_products, (q, tile_b, start_b, part_a, part_b, sums))

    return multiply_vector
