"""A thread's sums, from registers to out."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.cuda.full.blocking import WARP_COLUMNS, WARP_ROWS, Blocking, Ideas, lanes
from kernels.cuda.primitives import inlined, store, unrolled

U64 = np.uint64


def writer(dtype: Any, blocking: Blocking, ideas: Ideas) -> Any:
    """A device function that writes a thread's sums: as vectors if operands are copied as vectors, else element by element."""
    _, _, _, high, wide = blocking
    width = lanes(np.dtype(dtype).name)
    guarded = ideas.guarded
    size, groups = np.dtype(dtype).itemsize, wide // width

    @inlined
    def write_vector(g: Any, i: Any, out: Any, row: Any, column: Any, sums: Any) -> None:
        j = column + g * U64(WARP_COLUMNS * width)
        if not guarded or j < U64(out.shape[1]):
            store(out, row, j, sums, i * U64(wide) + g * U64(width), width)

    @inlined
    def write_row(i: Any, out: Any, row: Any, column: Any, sums: Any) -> None:
        to = row + i * U64(WARP_ROWS)
        if not guarded or to < U64(out.shape[0]):
            unrolled(groups, write_vector, (i, out, to * U64(out.strides[0] // size), column, sums))

    @inlined
    def write_elements(out: Any, row: Any, column: Any, sums: Any) -> None:
        for i in range(high):
            for j in range(wide):
                to, across = row + U64(i * WARP_ROWS), column + U64(j // width * WARP_COLUMNS * width + j % width)
                if to < U64(out.shape[0]) and across < U64(out.shape[1]):
                    out[to, across] = sums[i, j]

    @inlined
    def write_vectors(out: Any, row: Any, column: Any, sums: Any) -> None:
        unrolled(high, write_row, (out, row, column, sums))

    return write_vectors if ideas.copied > 1 else write_elements
