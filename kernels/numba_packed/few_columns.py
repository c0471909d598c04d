"""Products with a few columns: dot products with them, as fast as memory brings the rows of a."""

from __future__ import annotations

from typing import Any

from kernels.caching import inner
from kernels.numba_packed.dots import FOUR, MOST_COLUMNS, SUMS, eight_dots, tile_of_dots
from kernels.numba_packed.memory import EIGHT, read, read_eight, size_of, write, write_some
from kernels.numba_packed.packing import transpose
from kernels.numba_packed.plan import BLOCK_BYTES, between, block, counters, entry, pieces
from kernels.numba_packed.tasks import claim, finish, wait
from kernels.simd import multiply, multiply_add

ROWS_A_TASK = 64
"""Some tens of kilobytes of rows, which take longer than claiming a task."""

LONG_BYTES = 2 << 10
"""Rows of a as long as that come from memory sooner eight at a time; with one column, shorter ones are done sooner by fours."""

AGAIN_BYTES = 16 << 10
"""Rows of a that stay in the first level while they are gone over again, for each of a few columns."""


def dots_by(tall: int, wide: int) -> Any:
    """The function for so many columns, in tiles of so many rows."""

    @inner
    def tiles_of_dots(
        rows: int, depth: int, a: int, a_row: int, x: int, x_column: int, c: int, c_row: int, c_column: int, alpha: Any, beta: Any
    ) -> None:
        for i in range(0, rows, tall):
            found = tile_of_dots(tall, wide, depth, a + i * a_row, a_row, rows - i - 1, x, x_column, alpha)
            for j in range(wide):
                here = c + i * c_row + j * c_column
                update_four(here, c_row, rows - i, found[j], alpha, beta)
                if tall > FOUR:
                    update_four(here + FOUR * c_row, c_row, rows - i - FOUR, found[wide + j], alpha, beta)

    return tiles_of_dots


four_by_one, four_by_two, four_by_three, four_by_four = (dots_by(FOUR, wide) for wide in (1, 2, 3, 4))
eight_by_one, eight_by_two = dots_by(EIGHT, 1), dots_by(EIGHT, 2) if EIGHT * 2 <= SUMS else four_by_two


@inner
def dots(
    rows: int, depth: int, columns: int, a: int, a_row: int, x: int, x_column: int, c: int, c_row: int, c_column: int,
    alpha: Any, beta: Any,
) -> None:  # fmt: skip
    """Make c = alpha a x + beta c, at addresses; elements of a row of a, and of a column of x, are neighbours."""
    turns = pieces(columns, MOST_COLUMNS)
    for turn in range(turns):
        j, end = between(columns, turn, turns)
        some = rows, depth, a, a_row, x + j * x_column, x_column, c + j * c_column, c_row, c_column, alpha, beta
        if end - j == 1 and depth * size_of(alpha) < LONG_BYTES:
            four_by_one(*some)
        elif end - j == 1:
            eight_by_one(*some)
        elif end - j == 2 and columns > 2:
            four_by_two(*some)
        elif end - j == 2:
            eight_by_two(*some)
        elif end - j == 3:
            four_by_three(*some)
        else:
            four_by_four(*some)


@inner
def update_four(place: int, c_row: int, rows: int, found: Any, alpha: Any, beta: Any) -> None:
    """Update four elements of a column, or as many as there are rows."""
    if rows > 0:
        update(place, found[0], alpha, beta)
    if rows > 1:
        update(place + c_row, found[1], alpha, beta)
    if rows > 2:
        update(place + 2 * c_row, found[2], alpha, beta)
    if rows > 3:
        update(place + 3 * c_row, found[3], alpha, beta)


@inner
def update(place: int, value: Any, alpha: Any, beta: Any) -> None:
    """Make an element alpha value + beta times what it was, which is not read if beta is 0."""
    scaled = alpha * value
    if beta != 0:
        scaled += beta * read(place, beta)
    write(place, scaled)


@inner
def short_dots(count: int, depth: int, a: int, a_row: int, x: int, c: int, alpha: Any, beta: Any) -> None:
    """The same for rows of up to eight elements, eight at a time, where elements of c are neighbours too."""
    size, u = size_of(alpha), multiply(alpha, read_eight(x, depth, alpha))
    whole = count // EIGHT * EIGHT
    for i in range(0, whole, EIGHT):
        set_some(EIGHT, c + i * size, eight_dots(a + i * a_row, a_row, EIGHT - 1, depth, u), beta)
    if whole < count:
        last = count - whole - 1
        set_some(last + 1, c + whole * size, eight_dots(a + whole * a_row, a_row, last, depth, u), beta)


@inner
def set_some(count: int, place: int, sums: Any, beta: Any) -> None:
    """Make the first `count` of eight neighbours those sums, and beta times what they were, which is not read if beta is 0."""
    if beta != 0:
        sums = multiply_add(beta, read_eight(place, count, beta), sums)
    write_some(place, count, sums)


def few_columns(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c for a b of a few columns: the tasks that it claims."""
    size = size_of(alpha)
    packing, columns, shared = b_row != size, block(room, 0), counters(room, 0)
    slabs = pieces(n, entry(room, BLOCK_BYTES) // size // p) if packing else 1
    groups = pieces(m, max(ROWS_A_TASK, AGAIN_BYTES // (n * size))) if threads > 1 else 1
    short = n <= EIGHT and p == 1 and c_row == size
    first = 0
    for slab in range(slabs):
        k0, k1 = between(n, slab, slabs)
        depth, scale = k1 - k0, beta if slab == 0 else one
        if packing:
            if claim(shared, first + 1) >= 0:
                wait(shared, first)
                transpose(b + k0 * b_row, b_row, b_column, columns, depth * size, depth, p, zero)
                finish(shared)
            first += 1
        x, x_column = (columns, depth * size) if packing else (b + k0 * size, b_column)
        at_once = max(1, AGAIN_BYTES // (depth * size * FOUR)) * FOUR if p > MOST_COLUMNS else m
        task = claim(shared, first + groups)
        while task >= 0:
            wait(shared, first)
            i, end = between(m, task - first, groups)
            while i < end:
                count, rows, c_rows = min(at_once, end - i), a + i * a_row + k0 * size, c + i * c_row
                if short:
                    short_dots(count, depth, rows, a_row, x, c_rows, alpha, scale)
                else:
                    dots(count, depth, p, rows, a_row, x, x_column, c_rows, c_row, c_column, alpha, scale)
                i += count
            finish(shared)
            task = claim(shared, first + groups)
        first += groups
