"""Packing: a block copied so that the microkernel reads it from one end to the other.

A block of b becomes micropanels, mr columns wide, with row after row of each. So the vectors of successive steps of the depth
are contiguous, whatever the strides of b; the block takes no more pages and cache sets than its size asks for; and no vector
straddles two cache lines. Of the last micropanel only what b has is written. Rows of a are copied where they are not contiguous.

Packing moves n p elements once for the 2 m n p flops that they serve.
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
"""Rows of b that a task packs: of a transposed b they are a cache line of each column, or two."""

ABREAST = 4
"""Rows of b that are copied side by side, while as many more are prefetched: rows lie apart, and the processor foresees no more
than the rest of each."""


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
    """Copy columns of up to `ABREAST` rows; where they are so many, in runs, and the rows after them are prefetched."""
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
    """Copy a matrix so that its columns become contiguous rows: in squares, where its own rows are contiguous, too.

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
