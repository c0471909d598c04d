"""The loops around the microkernel: which part of which operand is in which cache.

    for each slab of the depth                kc rows of b
        for each block of its columns         its rows by pc of b, packed, in the second level, or the third
            for each sliver of rows           a few rows of a, in the first level
                for each panel of the block   kc x a tile's width of b, streams by from there
                    the microkernel           a tile of c, in registers

This is Goto's order with a and b in each other's place, for rows instead of columns: the vectors run along a row of c. Each
part is cut into equal pieces, not into full ones and a rest: 256 rows are 41 slivers of six and two of five.

Each thread has columns of its own, and so a block of its own; it packs it and takes its slivers one at a time, then helps where
others are not done. Every thread runs all of the loops and does the tasks that it claims; one thread alone claims them all. Where
there are few columns, the threads share one block.
"""

from __future__ import annotations

from typing import Any

from kernels.caching import inner
from kernels.numba_packed.memory import read, size_of, write
from kernels.numba_packed.microkernel import UNROLLED
from kernels.numba_packed.packing import ROWS_AT_ONCE, pack_panels, transpose
from kernels.numba_packed.plan import (
    BLOCK_BYTES,
    DIRECT_BYTES,
    KC,
    NEAR_BYTES,
    ROW_PADDING,
    ROWS_TO_PACK_FOR,
    SCATTERED_BYTES,
    STRIP,
    TILE,
    block,
    counters,
    entry,
    own,
    pieces,
    tile_for,
)  # fmt: skip
from kernels.numba_packed.pointers import call
from kernels.numba_packed.tasks import claim, finish, wait
from kernels.simd import LINE

TASKS_A_THREAD = 4
"""At least, where there are so many tiles: what the last thread is still at when the others are done is a part of that."""

PANELS_A_THREAD = 2
"""At least, for columns of its own: with fewer, tasks would be too small, or too unequal."""


@inner
def add_tile(height: int, wide: int, tile: int, tile_row: int, c: int, c_row: int, c_column: int, beta: Any) -> None:
    """Make c = tile + beta c, an element at a time: where c's rows and columns both have strides."""
    for i in range(height):
        for j in range(wide):
            place = c + i * c_row + j * c_column
            value = read(tile + i * tile_row + j * size_of(beta), beta)
            if beta != 0:
                value += beta * read(place, beta)
            write(place, value)


@inner
def direct(
    m: int, n: int, p: int, a: int, a_row: int, b: int, b_row: int, c: int, c_row: int, room: int, alpha: Any, beta: Any
) -> None:
    """A product that fits the caches, of rows that all lie in one piece: tile after tile, nothing packed, shared or counted."""
    size, tile, (rows, width) = size_of(alpha), entry(room, TILE), tile_for(m, p, room)
    slivers = pieces(m, rows)
    i, rest = 0, m
    while slivers > 0:
        height = rest // slivers
        for j in range(0, p, width):
            wide = min(width, p - j)
            call(tile, height, n, a + i * a_row, a_row, b + j * size, b_row, c + i * c_row + j * size, c_row, wide, alpha, beta)
        i, rest, slivers = i + height, rest - height, slivers - 1


@inner
def straddling(b: int, b_row: int, bytes_: int, room: int) -> bool:
    """Whether vectors of b lie across two cache lines, as numpy's arrays do, and both come from the second level each time."""
    return (b | b_row) % LINE != 0 and bytes_ > entry(room, NEAR_BYTES)


@inner
def scattered(b_row: int, bytes_: int, room: int) -> bool:
    """Whether rows of b are so far apart that it is slow to go down a few columns of them."""
    return bytes_ > entry(room, DIRECT_BYTES) and abs(b_row) >= entry(room, SCATTERED_BYTES)


@inner
def multiply_panels(
    tile: int, height: int, depth: int, strip: int, a: int, a_row: int, b: int, b_step: int, panel_bytes: int,
    first: int, last: int, width: int, columns: int, c: int, c_row: int, c_column: int, spare: int,
    alpha: Any, beta: Any, zero: Any, one: Any,
) -> None:  # fmt: skip
    """A sliver of a, in the first level, by panels of a block from the `first` to before the `last`, a tile of c at a time.

    The depth is gone along `strip` by `strip`. Where c's rows do not lie in one piece, its tile is made in the `spare` room.
    """
    size = size_of(alpha)
    for k in range(0, depth, strip):
        deep, scale = min(strip, depth - k), beta if k == 0 else one
        for panel in range(first, last):
            a_here, b_here, j = a + k * size, b + panel * panel_bytes + k * b_step, panel * width
            wide, c_here = min(width, columns - j), c + j * c_column
            if c_column == size:
                call(tile, height, deep, a_here, a_row, b_here, b_step, c_here, c_row, wide, alpha, scale)
            else:
                call(tile, height, deep, a_here, a_row, b_here, b_step, spare, width * size, wide, alpha, zero)
                add_tile(height, wide, spare, width * size, c_here, c_row, c_column, scale)


def blocked(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c: its own columns first, then what others have left of theirs."""
    size, tile, (rows, width) = size_of(alpha), entry(room, TILE), tile_for(m, p, room)
    far = scattered(b_row, n * p * size, room)
    enough = entry(room, ROWS_TO_PACK_FOR)
    packing = b_column != size or (far and m >= enough) or (straddling(b, b_row, n * p * size, room) and m >= 2 * enough)
    a_row_packed = (entry(room, KC) + UNROLLED) * size + ROW_PADDING
    a_packed = own(room, thread)
    spare = a_packed + rows * a_row_packed  # a tile of c
    slabs, slivers, panels = pieces(n, entry(room, KC)), pieces(m, rows), pieces(p, width)
    parts = threads if panels >= PANELS_A_THREAD * threads else 1
    blocks = pieces(pieces(panels, parts), entry(room, BLOCK_BYTES) // size // (n // slabs + 2 * UNROLLED) // width)
    across = min(panels // (parts * blocks), pieces(TASKS_A_THREAD * threads, parts * slivers)) if threads > 1 else 1
    first = 0  # tasks of each part before these
    for slab in range(slabs):
        k0 = n * slab // slabs // UNROLLED * UNROLLED
        depth = (n * (slab + 1) // slabs // UNROLLED * UNROLLED if slab + 1 < slabs else n) - k0
        strip = min(depth, entry(room, STRIP)) if far and not packing else depth
        groups = pieces(depth, ROWS_AT_ONCE) if packing else 0
        for step in range(blocks):
            end = first + groups + slivers * across
            for turn in range(parts):
                part = (thread + turn) % parts
                shared, b_packed, cut = counters(room, part), block(room, part), part * blocks + step
                start, stop = panels * cut // (parts * blocks), panels * (cut + 1) // (parts * blocks)
                j0 = start * width
                columns = min(p, stop * width) - j0
                b_block, b_step, panel_bytes = b + k0 * b_row + j0 * b_column, b_row, width * size
                task = claim(shared, end)
                while 0 <= task < first + groups:
                    wait(shared, first)  # the block before is in use until then
                    k, after = depth * (task - first) // groups, depth * (task - first + 1) // groups
                    pack_panels(b_block, b_row, b_column, k, after, depth, columns, width, b_packed, zero)
                    finish(shared)
                    task = claim(shared, end)
                if packing:
                    b_block, b_step, panel_bytes = b_packed, width * size, depth * width * size
                while task >= 0:
                    wait(shared, first + groups)
                    sliver, piece = (task - first - groups) // across, (task - first - groups) % across
                    i0 = m * sliver // slivers
                    height = m * (sliver + 1) // slivers - i0
                    a_here, a_step = a + i0 * a_row + k0 * a_column, a_row
                    if a_column != size:
                        transpose(a_here, a_column, a_row, a_packed, a_row_packed, depth, height, zero)
                        a_here, a_step = a_packed, a_row_packed
                    multiply_panels(
                        tile, height, depth, strip, a_here, a_step, b_block, b_step, panel_bytes,
                        (stop - start) * piece // across, (stop - start) * (piece + 1) // across, width, columns,
                        c + i0 * c_row + j0 * c_column, c_row, c_column, spare,
                        alpha, beta if slab == 0 else one, zero, one,
                    )  # fmt: skip
                    finish(shared)
                    task = claim(shared, end)
            first = end
