"""Packing: a block copied so that the microkernel reads it from one end to the other.

A block of b, `depth` rows by some columns, becomes panels as wide as a tile, each row of a panel beside the next: the vectors
of successive steps of the depth follow one another, whatever b's strides, the block takes no more pages and cache sets than its
size asks for, and no vector lies across two cache lines. Of the last panel only what b has is written. Rows of a are copied where
their elements are not neighbours.

It moves n p elements once for the 2 m n p flops that they serve.
"""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.memory import (
    RUN,
    SQUARE,
    copy_run,
    prefetch,
    read,
    size_of,
    transpose_columns,
    transpose_square,
    write,
)

ROWS_AT_ONCE = 16
"""Rows of b that are packed in one go: of a transposed b a cache line of each column, or two."""

ABREAST = 4
"""Rows of b that are copied side by side, their runs one after another in a panel, while as many more are asked for: rows lie
apart, and the processor foresees no more than the rest of each."""


@inner
def pack_panels(
    b: int, b_row: int, b_column: int, row: int, end: int, depth: int, columns: int, width: int, panels: int, zero: Any
) -> None:
    """Copy rows `row` to `end` of a block of b into `panels`, as many as `columns` need; addresses and strides in bytes."""
    size, step = size_of(zero), width * size_of(zero)
    panel = depth * step
    if b_column == size:
        rows = min(ABREAST, end - row)
        for k in range(row, end, ABREAST):  # along b's rows, since memory likes to be read so
            k = min(k, end - rows)
            source, target, left = b + k * b_row, panels + k * step, columns
            while left > 0:
                copy_rows(rows, min(width, left), source, b_row, target, step, zero)
                source, target, left = source + step, target + panel, left - width
        return
    for first in range(0, columns, width):
        source, target = b + first * b_column + row * b_row, panels + first // width * panel + row * step
        transpose(source, b_column, b_row, target, step, min(width, columns - first), end - row, zero)


@inner
def copy_rows(rows: int, columns: int, source: int, source_row: int, target: int, target_row: int, zero: Any) -> None:
    """Copy neighbours of up to `ABREAST` rows; where they are so many, in runs, and ask for the rows after them."""
    size = size_of(zero)
    whole = columns * size // RUN * RUN if rows == ABREAST else 0
    for i in range(ABREAST):
        for byte in range(0, whole, RUN):
            prefetch(source + (ABREAST + i) * source_row + byte)
            copy_run(source + i * source_row + byte, target + i * target_row + byte)
    for i in range(rows):
        for byte in range(whole, columns * size, size):
            write(target + i * target_row + byte, read(source + i * source_row + byte, zero))


@inner
def transpose(
    source: int, source_row: int, source_column: int, target: int, target_row: int, rows: int, columns: int, zero: Any
) -> None:
    """Copy a matrix, whose columns become rows of neighbours: in squares, where its rows are neighbours too.

    The last square of a row, or of a column, overlaps the one before.
    """
    size = size_of(zero)
    if source_column == size and rows >= SQUARE:
        for i in range(0, rows, SQUARE):
            i = min(i, rows - SQUARE)
            here, there = source + i * source_row, target + i * size
            if columns < SQUARE:
                transpose_columns(here, source_row, there, target_row, columns, zero)
            else:
                for j in range(0, columns, SQUARE):
                    j = min(j, columns - SQUARE)
                    transpose_square(here + j * size, source_row, there + j * target_row, target_row, zero)
        return
    for i in range(rows):
        for j in range(columns):
            write(target + j * target_row + i * size, read(source + i * source_row + j * source_column, zero))
