"""The loops around the microkernel: which part of which operand is in which cache.

    for each slab of the depth                kc rows of b
        for each block of its columns         its rows by mc of b, packed, in the second level, or the third
            for each sliver of rows           a few rows of a, in the first level
                for each panel of the block   kc x a tile's width of b, streams by from there
                    the microkernel           a tile of c, in registers

This is Goto's order with a and b in each other's place, for rows instead of columns: the vectors run along a row of c. Each
part is cut into equal pieces, not into full ones and a rest: 256 rows are 41 slivers of six and two of five.

Each thread has columns of its own, and so a block of its own; it packs it and takes its slivers one at a time, then helps where
others are not done. Every thread runs all of the loops and does the tasks that it claims; one thread alone claims them all. Where
there are few columns, each has a part of the depth and a c of its own, and these are added up; or, where the depth is short or
c large, they share one block.
"""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.memory import read, size_of, write
from kernels.jit.pointers import call
from kernels.jit.simd import LINE
from kernels.packed.matvec.one_row import add_row
from kernels.packed.microkernel import UNROLLED
from kernels.packed.packing import ROWS_AT_ONCE, pack_panels, transpose
from kernels.packed.plan import (
    BLOCK_BYTES,
    DIRECT_BYTES,
    FAR_BYTES,
    KC,
    NEAR_BLOCK_BYTES,
    NEAR_BYTES,
    ROW_PADDING,
    ROWS_TO_PACK_FOR,
    SCATTERED_BYTES,
    STRIP,
    TILE,
    between,
    block,
    counters,
    entry,
    own,
    pieces,
    tile_for,
)  # fmt: skip
from kernels.packed.pool.tasks import claim, finish, wait

TASKS_A_THREAD = 4
"""At least, where there are so many tiles: what the last thread is still at when the others are done is a part of that."""

PANELS_A_THREAD = 2
"""At least, for columns of its own: with fewer, tasks would be too small, or too unequal."""

CHAIN, CHAIN_OF_SINGLES = 256, 192
"""Of the depth, so much is summed up at once, and then added to c, where it is at hand: what rounding amounts to grows with the
length of a sum, and those of OpenBLAS and BLIS are as short, and MKL's in float32."""

DEPTH_A_THREAD = 640
"""At least, for a part of the depth of its own: with less, to add the parts up costs more than it brings."""


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
def chain(depth: int, size: int) -> int:
    """How much of the depth is summed up at once, in equal pieces."""
    most = (CHAIN_OF_SINGLES if size == 4 else CHAIN) + 2 * UNROLLED
    return pieces(pieces(depth, pieces(depth, most)), UNROLLED) * UNROLLED


@inner
def direct(
    m: int, n: int, p: int, a: int, a_row: int, b: int, b_row: int, c: int, c_row: int, room: int, alpha: Any, beta: Any
) -> None:
    """A product that fits the caches, of rows that all lie in one piece: tile after tile, nothing packed, shared or counted."""
    size, tile, (rows, width) = size_of(alpha), entry(room, TILE), tile_for(m, p, room)
    slivers, at_once = pieces(m, rows), chain(n, size)
    i, rest = 0, m
    while slivers > 0:
        height = rest // slivers
        for j in range(0, p, width):
            wide = min(width, p - j)
            a_here, c_here = a + i * a_row, c + i * c_row + j * size
            call(tile, height, n, at_once, a_here, a_row, b + j * size, b_row, c_here, c_row, wide, alpha, beta, 0)
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
    alpha: Any, beta: Any, zero: Any, one: Any, following: bool,
) -> None:  # fmt: skip
    """A sliver of a, in the first level, by panels of a block from the `first` to before the `last`, a tile of c at a time.

    The depth is gone along `strip` by `strip`. Where c's rows do not lie in one piece, its tile is made in the `spare` room.
    If there is a `following` sliver, the last tiles ask for a row of it each.
    """
    size = size_of(alpha)
    for k in range(0, depth, strip):
        deep, scale = min(strip, depth - k), beta if k == 0 else one
        at_once = chain(deep, size)
        for panel in range(first, last):
            a_here, b_here, j = a + k * size, b + panel * panel_bytes + k * b_step, panel * width
            wide, c_here = min(width, columns - j), c + j * c_column
            row = panel - max(first, last - height)
            ahead = (height + row) * a_row if following and row >= 0 else 0
            if c_column == size:
                call(tile, height, deep, at_once, a_here, a_row, b_here, b_step, c_here, c_row, wide, alpha, scale, ahead)
            else:
                call(tile, height, deep, at_once, a_here, a_row, b_here, b_step, spare, width * size, wide, alpha, zero, 0)
                add_tile(height, wide, spare, width * size, c_here, c_row, c_column, scale)


@inner
def depth_cuts(m: int, n: int, row_bytes: int, threads: int, room: int) -> int:
    """Into how many parts the depth is cut: one for each thread, if it is long and a c for each fits beside a slab of b."""
    fits = (entry(room, KC) + 2 * UNROLLED + m) * row_bytes <= entry(room, BLOCK_BYTES)
    return threads if fits and n >= DEPTH_A_THREAD * threads else 1


@inner
def sums_of(part: int, m: int, row_bytes: int, room: int) -> int:
    """Where a part of the depth has its c: at the end of its block."""
    return block(room, part) + entry(room, BLOCK_BYTES) - m * row_bytes


@inner
def add_sums(
    parts: int, m: int, p: int, row_bytes: int, slivers: int, done: int, c: int, c_row: int, c_column: int, room: int, one: Any
) -> None:
    """Add what parts of the depth have summed to c, where the first of them already is; a claimed sliver of rows at a time."""
    for part in range(parts):
        wait(counters(room, part), done)
    task = claim(counters(room, 0), done + slivers)
    while task >= 0:
        first, last = between(m, task - done, slivers)
        for part in range(1, parts):
            for i in range(first, last):
                sums, c_here = sums_of(part, m, row_bytes, room) + i * row_bytes, c + i * c_row
                if c_column == size_of(one):
                    add_row(p, one, sums, c_here, one)
                else:
                    add_tile(1, p, sums, row_bytes, c_here, c_row, c_column, one)
        task = claim(counters(room, 0), done + slivers)


def blocked(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c: its own first, then what others have left of theirs."""
    size, tile, (rows, width) = size_of(alpha), entry(room, TILE), tile_for(m, p, room)
    far = scattered(b_row, n * p * size, room)
    enough = entry(room, ROWS_TO_PACK_FOR)
    packing = b_column != size or (far and m >= enough) or (straddling(b, b_row, n * p * size, room) and m >= 2 * enough)
    a_row_packed = (entry(room, KC) + UNROLLED) * size + ROW_PADDING
    a_packed = own(room, thread)
    spare = a_packed + rows * a_row_packed  # a tile of c
    slivers, panels = pieces(m, rows), pieces(p, width)
    sums_row = panels * width * size
    cuts = threads if panels >= PANELS_A_THREAD * threads else 1
    deep = depth_cuts(m, n, sums_row, threads // cuts, room)
    parts, slabs = cuts * deep, pieces(pieces(n, deep), entry(room, KC))
    deepest = n // (deep * slabs) + 2 * UNROLLED
    most = entry(room, NEAR_BLOCK_BYTES if m * deepest * size < entry(room, FAR_BYTES) else BLOCK_BYTES)
    blocks = pieces(pieces(panels, cuts), most // size // deepest // width)
    groups = pieces(deepest, ROWS_AT_ONCE) if packing else 0
    across = max(1, min(panels // (cuts * blocks), pieces(TASKS_A_THREAD * threads, parts * slivers))) if threads > 1 else 1
    first = 0  # tasks of each part before these
    for slab in range(slabs):
        for step in range(blocks):
            end = first + groups + slivers * across
            for turn in range(parts):
                part = (thread + turn) % parts
                shared, b_packed, piece = counters(room, part), block(room, part), part % deep * slabs + slab
                start, stop = between(panels, part // deep * blocks + step, cuts * blocks)
                k0, k1 = between(n // UNROLLED, piece, deep * slabs)
                k0, k1 = k0 * UNROLLED, k1 * UNROLLED if piece + 1 < deep * slabs else n
                j0, depth = start * width, k1 - k0
                columns = min(p, stop * width) - j0
                strip = min(depth, entry(room, STRIP)) if far and not packing else depth
                b_block, b_step, panel_bytes = b + k0 * b_row + j0 * b_column, b_row, width * size
                task = claim(shared, end)
                while 0 <= task < first + groups:
                    wait(shared, first)  # the block before is in use until then
                    k, after = between(depth, task - first, groups)
                    pack_panels(b_block, b_row, b_column, k, after, depth, columns, width, b_packed, zero)
                    finish(shared)
                    task = claim(shared, end)
                if packing:
                    b_block, b_step, panel_bytes = b_packed, width * size, depth * width * size
                c_block, c_step, c_beside, scale = c + j0 * c_column, c_row, c_column, beta
                if part % deep > 0:
                    c_block, c_step, c_beside, scale = sums_of(part, m, sums_row, room) + j0 * size, sums_row, size, zero
                while task >= 0:
                    wait(shared, first + groups)
                    sliver, group = (task - first - groups) // across, (task - first - groups) % across
                    i0, i1 = between(m, sliver, slivers)
                    a_here, a_step = a + i0 * a_row + k0 * a_column, a_row
                    if a_column != size:
                        transpose(a_here, a_column, a_row, a_packed, a_row_packed, depth, i1 - i0, zero)
                        a_here, a_step = a_packed, a_row_packed
                    left, right = between(stop - start, group, across)
                    multiply_panels(
                        tile, i1 - i0, depth, strip, a_here, a_step, b_block, b_step, panel_bytes,
                        left, right, width, columns, c_block + i0 * c_step, c_step, c_beside, spare,
                        alpha, scale if slab == 0 else one, zero, one, a_column == size and sliver + 1 < slivers,
                    )  # fmt: skip
                    finish(shared)
                    task = claim(shared, end)
            first = end
    if deep > 1:
        add_sums(deep, m, p, sums_row, slivers, first, c, c_row, c_column, room, one)
