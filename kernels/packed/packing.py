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
def pack_rows(b: Any, block: Any, mr: int, start: int, end: int) -> None:
    """Copy rows `start` to `end` of a block of b to where it is packed.

    Parameters
    ----------
    b : record
        Strides of b, as in `plan.OPERAND`.
    block : record
        The fields of `cut.BLOCK`.
    mr : int
        Columns of a micropanel.
    """
    size, row = size_of(block.beta), mr * size_of(block.beta)
    micropanel, columns = block.depth * row, block.columns
    if b.column == size:
        rows = min(ABREAST, end - start)
        for k in range(start, end, ABREAST):  # along b's rows, since memory likes to be read so
            k = min(k, end - rows)
            source, target, left = block.source + k * b.row, block.packed + k * row, columns
            while left > 0:
                copy_rows(rows, min(mr, left), source, b.row, target, row, block.beta)
                source, target, left = source + row, target + micropanel, left - mr
        return
    for j in range(0, columns, mr):
        source, target = block.source + j * b.column + start * b.row, block.packed + j // mr * micropanel + start * row
        transpose(source, b.column, b.row, target, row, min(mr, columns - j), end - start, block.beta)


@inner
def copy_rows(rows: int, columns: int, source: int, source_row: int, target: int, target_row: int, like: Any) -> None:
    """Copy neighbours of up to `ABREAST` rows; where they are so many, in runs, and ask for the rows after them."""
    size = size_of(like)
    whole = columns * size // RUN * RUN if rows == ABREAST else 0
    for i in range(ABREAST):
        for byte in range(0, whole, RUN):
            prefetch(source + (ABREAST + i) * source_row + byte)
            copy_run(source + i * source_row + byte, target + i * target_row + byte)
    for i in range(rows):
        for byte in range(whole, columns * size, size):
            write(target + i * target_row + byte, read(source + i * source_row + byte, like))


@inner
def transpose(
    source: int, source_row: int, source_column: int, target: int, target_row: int, rows: int, columns: int, like: Any
) -> None:
    """Copy a matrix, whose columns become rows of neighbours: in squares, where its rows are neighbours too.

    The last square of a row, or of a column, overlaps the one before.
    """
    size = size_of(like)
    if source_column == size and rows >= SQUARE:
        for i in range(0, rows, SQUARE):
            i = min(i, rows - SQUARE)
            here, there = source + i * source_row, target + i * size
            if columns < SQUARE:
                transpose_columns(here, source_row, there, target_row, columns, like)
            else:
                for j in range(0, columns, SQUARE):
                    j = min(j, columns - SQUARE)
                    transpose_square(here + j * size, source_row, there + j * target_row, target_row, like)
        return
    for i in range(rows):
        for j in range(columns):
            write(target + j * target_row + i * size, read(source + i * source_row + j * source_column, like))
