"""Products with a few columns: dot products with them, as fast as memory brings the rows of a."""

from __future__ import annotations

from typing import Any

from kernels.caching import inner
from kernels.numba_packed.memory import (
    EIGHT,
    eight_dots,
    lanes_of,
    read,
    read_eight,
    read_some,
    size_of,
    write,
    write_some,
    zero_vector,
)
from kernels.numba_packed.packing import transpose
from kernels.numba_packed.plan import BLOCK_BYTES, block, counters, entry, pieces
from kernels.numba_packed.tasks import claim, finish, wait
from kernels.simd import four_totals, multiply, multiply_add

DOTS = 4
"""Rows at once: a piece of the vector is loaded once for all of them, and their sums hide each other's latency."""

ROWS_A_TASK = 64
"""Some tens of kilobytes of rows, which take longer than claiming a task."""

AGAIN_BYTES = 16 << 10
"""Rows of a that stay in the first level while they are gone over again, for each of a few columns."""


@inner
def dots(count: int, depth: int, a: int, a_row: int, x: int, c: int, c_row: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a x + beta c for so many rows of a, at addresses; elements of a row, and of x, are neighbours."""
    size, lanes, none = size_of(alpha), lanes_of(alpha), zero_vector(alpha)
    whole, rest = depth // lanes * lanes * size, depth % lanes
    for i in range(0, count, DOTS):
        # A missing row is the last one again.
        here, last = a + i * a_row, count - i - 1
        rows = here, here + min(1, last) * a_row, here + min(2, last) * a_row, here + min(3, last) * a_row
        sums = (none, none, none, none)
        for k in range(0, whole, lanes * size):
            sums = add_products(x, rows, k, lanes, sums, alpha)
        if rest > 0:
            sums = add_products(x, rows, whole, rest, sums, alpha)
        found = four_totals(sums[0], sums[1], sums[2], sums[3])
        update_four(c + i * c_row, c_row, last, found, alpha, beta)


@inner
def add_products(x: int, rows: Any, here: int, count: int, sums: Any, like: Any) -> Any:
    """The sums of four rows, with a vector of each times one of x added, or only its first `count` elements."""
    u = read_some(x + here, count, like)
    return (
        multiply_add(u, read_some(rows[0] + here, count, like), sums[0]),
        multiply_add(u, read_some(rows[1] + here, count, like), sums[1]),
        multiply_add(u, read_some(rows[2] + here, count, like), sums[2]),
        multiply_add(u, read_some(rows[3] + here, count, like), sums[3]),
    )


@inner
def update_four(place: int, c_row: int, last: int, found: Any, alpha: Any, beta: Any) -> None:
    """Update up to four elements of a column: the first, and as many more as there are up to the `last`."""
    update(place, found[0], alpha, beta)
    if last > 0:
        update(place + c_row, found[1], alpha, beta)
    if last > 1:
        update(place + 2 * c_row, found[2], alpha, beta)
    if last > 2:
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


@inner
def dots_of_two(
    count: int, depth: int, a: int, a_row: int, x: int, x_column: int, c: int, c_row: int, c_column: int, alpha: Any, beta: Any
) -> None:
    """The same for two columns: each piece of a row is loaded once for both."""
    size, lanes, none = size_of(alpha), lanes_of(alpha), zero_vector(alpha)
    whole, rest = depth // lanes * lanes * size, depth % lanes
    for i in range(0, count, DOTS):
        here, last = a + i * a_row, count - i - 1
        rows = here, here + min(1, last) * a_row, here + min(2, last) * a_row, here + min(3, last) * a_row
        left = right = (none, none, none, none)
        for k in range(0, whole, lanes * size):
            left = add_products(x, rows, k, lanes, left, alpha)
            right = add_products(x + x_column, rows, k, lanes, right, alpha)
        if rest > 0:
            left = add_products(x, rows, whole, rest, left, alpha)
            right = add_products(x + x_column, rows, whole, rest, right, alpha)
        update_four(c + i * c_row, c_row, last, four_totals(left[0], left[1], left[2], left[3]), alpha, beta)
        update_four(c + i * c_row + c_column, c_row, last, four_totals(right[0], right[1], right[2], right[3]), alpha, beta)


def few_columns(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c for a b of a few columns: the tasks that it claims."""
    size = size_of(alpha)
    packing, columns, shared = b_row != size, block(room, 0), counters(room, 0)
    slabs = pieces(n, entry(room, BLOCK_BYTES) // size // p) if packing else 1
    groups = pieces(m, max(ROWS_A_TASK, AGAIN_BYTES // (n * size)))
    short = n <= EIGHT and p == 1 and c_row == size
    first = 0
    for slab in range(slabs):
        k0 = n * slab // slabs
        depth, scale = n * (slab + 1) // slabs - k0, beta if slab == 0 else one
        if packing:
            if claim(shared, first + 1) >= 0:
                wait(shared, first)
                transpose(b + k0 * b_row, b_row, b_column, columns, depth * size, depth, p, zero)
                finish(shared)
            first += 1
        x, x_column = (columns, depth * size) if packing else (b + k0 * size, b_column)
        at_once = max(1, AGAIN_BYTES // (depth * size * DOTS)) * DOTS if p > 1 else m
        task = claim(shared, first + groups)
        while task >= 0:
            wait(shared, first)
            i, end = m * (task - first) // groups, m * (task - first + 1) // groups
            while i < end:
                count, rows, c_rows = min(at_once, end - i), a + i * a_row + k0 * size, c + i * c_row
                for j in range(0, p - 1, 2):
                    x_here, c_here = x + j * x_column, c_rows + j * c_column
                    dots_of_two(count, depth, rows, a_row, x_here, x_column, c_here, c_row, c_column, alpha, scale)
                if short:
                    short_dots(count, depth, rows, a_row, x, c_rows, alpha, scale)
                elif p % 2 == 1:
                    dots(count, depth, rows, a_row, x + (p - 1) * x_column, c_rows + (p - 1) * c_column, c_row, alpha, scale)
                i += count
            finish(shared)
            task = claim(shared, first + groups)
        first += groups
