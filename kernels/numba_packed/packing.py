"""Packing: a block copied so that the microkernel reads it from one end to the other.

A block of b, `depth` rows by some columns, becomes panels as wide as a tile, each row of a panel beside the next: the vectors
of successive steps of the depth follow one another, whatever b's strides, the block takes no more pages and cache sets than its
size asks for, and no vector lies across two cache lines. Of the last panel only what b has is written. Rows of a are copied where
their elements are not neighbours.

It moves n p elements once for the 2 m n p flops that they serve.
"""

from __future__ import annotations

from typing import Any

from kernels.caching import inner
from kernels.numba_packed.memory import RUN, SQUARE, copy_run, prefetch, read, size_of, transpose_square, write

ROWS_AT_ONCE = 16
"""Rows of b that are packed in one go: of a transposed b a cache line of each column, or two."""

ROWS_AHEAD = 4
"""What is asked for while a row of b is packed: rows lie apart, and the processor foresees no more than the rest of each."""


@inner
def pack_panels(
    b: int, b_row: int, b_column: int, row: int, end: int, depth: int, columns: int, width: int, panels: int, zero: Any
) -> None:
    """Copy rows `row` to `end` of a block of b into `panels`, as many as `columns` need; addresses and strides in bytes."""
    size = size_of(zero)
    panel = depth * width * size
    if b_column == size:
        for k in range(row, end):  # along b's rows, since memory likes to be read so
            copied = 0
            while copied < columns:
                wide = min(width, columns - copied)
                copy_elements(
                    b + k * b_row + copied * size, panels + copied // width * panel + k * width * size, wide,
                    ROWS_AHEAD * b_row, zero,
                )  # fmt: skip
                copied += wide
        return
    for first in range(0, columns, width):
        source, target = b + first * b_column + row * b_row, panels + first // width * panel + row * width * size
        transpose(source, b_column, b_row, target, width * size, min(width, columns - first), end - row, zero)


@inner
def copy_elements(source: int, target: int, count: int, ahead: int, zero: Any) -> None:
    """Copy neighbours, most of them in runs, and ask for what lies so many bytes ahead of those."""
    size = size_of(zero)
    whole = count * size // RUN * RUN
    for byte in range(0, whole, RUN):
        prefetch(source + byte + ahead)
        copy_run(source + byte, target + byte)
    for byte in range(whole, count * size, size):
        write(target + byte, read(source + byte, zero))


@inner
def transpose(
    source: int, source_row: int, source_column: int, target: int, target_row: int, rows: int, columns: int, zero: Any
) -> None:
    """Copy a matrix, whose columns become rows of neighbours: in squares, where its rows are neighbours too.

    The last square of a row, or of a column, overlaps the one before.
    """
    size = size_of(zero)
    if source_column == size and rows >= SQUARE and columns >= SQUARE:
        for i in range(0, rows, SQUARE):
            i = min(i, rows - SQUARE)
            for j in range(0, columns, SQUARE):
                j = min(j, columns - SQUARE)
                here, there = source + i * source_row + j * size, target + j * target_row + i * size
                transpose_square(here, source_row, there, target_row, zero)
        return
    for i in range(rows):
        for j in range(columns):
            write(target + j * target_row + i * size, read(source + i * source_row + j * source_column, zero))
