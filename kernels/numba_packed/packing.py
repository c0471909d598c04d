"""Packing: a block copied so that the microkernel reads it from one end to the other.

A block of b, `depth` rows by some columns, becomes panels as wide as a tile, each row of a panel beside the next: the vectors
of successive steps of the depth follow one another, whatever b's strides, the block takes no more pages and cache sets than its
size asks for, and no vector lies across two cache lines. Of the last panel only what b has is written. Rows of a are copied where
their elements are not neighbours.

It moves n p elements once for the 2 m n p flops that they serve.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from kernels.numba_packed.memory import RUN, copy_run, prefetch, read, write

ROWS_AT_ONCE = 16
"""Rows of b that are packed in one go: of a transposed b a cache line of each column, or two."""

ROWS_AHEAD = 4
"""What is asked for while a row of b is packed: rows lie apart, and the processor foresees no more than the rest of each."""


@njit
def pack_panels(
    b: int, b_row: int, b_column: int, row: int, end: int, depth: int, columns: int, width: int, panels: int, size: int, zero: Any
) -> None:
    """Copy rows `row` to `end` of a block of b into `panels`, as many as `columns` need; addresses and strides in bytes."""
    panel = depth * width * size
    if b_column == size:
        for k in range(row, end):  # along b's rows, since memory likes to be read so
            copied = 0
            while copied < columns:
                wide = min(width, columns - copied)
                copy_elements(
                    b + k * b_row + copied * size, panels + copied // width * panel + k * width * size, wide, size,
                    ROWS_AHEAD * b_row, zero,
                )  # fmt: skip
                copied += wide
        return
    for j in range(columns):
        source, target = b + j * b_column, panels + j // width * panel + j % width * size
        for k in range(row, end):
            write(target + k * width * size, read(source + k * b_row, zero))


@njit
def copy_elements(source: int, target: int, count: int, size: int, ahead: int, zero: Any) -> None:
    """Copy neighbours, most of them in runs, and ask for what lies so many bytes ahead of those."""
    whole = count * size // RUN * RUN
    for byte in range(0, whole, RUN):
        prefetch(source + byte + ahead)
        copy_run(source + byte, target + byte)
    for byte in range(whole, count * size, size):
        write(target + byte, read(source + byte, zero))


@njit
def pack_rows(
    a: int, a_row: int, a_column: int, height: int, depth: int, rows: int, row_bytes: int, size: int, zero: Any
) -> None:
    """Copy `height` rows of a, whose elements are no neighbours, into `rows`, each `row_bytes` behind the one before."""
    for k in range(depth):  # of a transposed a, neighbours in memory one after the other
        source, target = a + k * a_column, rows + k * size
        for i in range(height):
            write(target + i * row_bytes, read(source + i * a_row, zero))
