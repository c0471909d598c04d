"""Packing: a block copied so that the microkernel reads it from one end to the other.

A block of b, `depth` rows by some columns, becomes panels as wide as a tile, each row of a panel beside the next: the vectors
of successive steps of the depth follow one another, whatever b's strides, and the block takes no more pages and cache sets than
its size asks for. The last panel is filled up with zeros. Rows of a are copied where their elements are not neighbours, or
where so many rows would fall into the same cache sets.

It moves n p elements once for the 2 m n p flops that they serve.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from kernels.numba_packed.memory import RUN, copy_run, read, write

ROWS_AT_ONCE = 16
"""Rows of b that are packed in one go: of a transposed b a cache line of each column, or two."""


@njit
def pack_panels(
    b: int, b_row: int, b_column: int, row: int, end: int, depth: int, columns: int, width: int, panels: int, size: int, zero: Any
) -> None:
    """Copy rows `row` to `end` of a block of b into `panels`, as many as `columns` need; addresses and strides in bytes."""
    whole = columns // width * width if b_column == size else 0
    for k in range(row, end):  # along b's rows, since memory likes to be read so
        source, target = b + k * b_row, panels + k * width * size
        for _ in range(0, whole, width):
            for byte in range(0, width * size, RUN):
                copy_run(source + byte, target + byte)
            source, target = source + width * size, target + depth * width * size
    for first in range(whole, columns, width):
        wide = min(width, columns - first)
        source, target = b + first * b_column, panels + first * depth * size
        for j in range(wide):
            for k in range(row, end):
                write(target + (k * width + j) * size, read(source + k * b_row + j * b_column, zero))
        for k in range(row, end):
            for j in range(wide, width):
                write(target + (k * width + j) * size, zero)


@njit
def pack_rows(
    a: int, a_row: int, a_column: int, height: int, depth: int, rows: int, row_bytes: int, size: int, zero: Any
) -> None:
    """Copy `height` rows of a into `rows`, each `row_bytes` behind the one before."""
    whole = depth * size // RUN * RUN // size if a_column == size else 0
    for i in range(height if whole else 0):
        for byte in range(0, whole * size, RUN):
            copy_run(a + i * a_row + byte, rows + i * row_bytes + byte)
    for k in range(whole, depth):  # of a transposed a, neighbours in memory one after the other
        source, target = a + k * a_column, rows + k * size
        for i in range(height):
            write(target + i * row_bytes, read(source + i * a_row, zero))
