"""Products with a few columns, or a single row: dot products with it, or sums of b's rows, as fast as memory brings them."""

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
from kernels.simd import LINE, add, four_totals, multiply, multiply_add

DOTS = 4
"""Rows at once: a piece of the vector is loaded once for all of them, and their sums hide each other's latency."""

ROWS_A_TASK = 64
"""Some tens of kilobytes of rows, which take longer than claiming a task."""

AGAIN_BYTES = 16 << 10
"""What is gone over again stays in the first level: rows of a, for each of a few columns, and a task's part of a single row of c,
for all rows of b, which so come in runs that the processor foresees."""


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


SUMMED = 8
"""Rows of b at once: c is passed over once for all of them, and memory brings them side by side."""


@inner
def add_rows(columns: int, a: int, a_column: int, b: int, b_row: int, c: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a b + beta c for `SUMMED` elements of a, whose elements are anywhere, and neighbours in b's rows and c."""
    factors = (
        alpha * read(a, alpha), alpha * read(a + a_column, alpha),
        alpha * read(a + 2 * a_column, alpha), alpha * read(a + 3 * a_column, alpha),
        alpha * read(a + 4 * a_column, alpha), alpha * read(a + 5 * a_column, alpha),
        alpha * read(a + 6 * a_column, alpha), alpha * read(a + 7 * a_column, alpha),
    )  # fmt: skip
    rows = b, b + b_row, b + 2 * b_row, b + 3 * b_row, b + 4 * b_row, b + 5 * b_row, b + 6 * b_row, b + 7 * b_row
    size, lanes = size_of(alpha), lanes_of(alpha)
    whole = columns // lanes * lanes
    for j in range(0, whole, lanes):
        add_pieces(factors, rows, j * size, lanes, c + j * size, alpha, beta)
    if whole < columns:
        add_pieces(factors, rows, whole * size, columns - whole, c + whole * size, alpha, beta)


@inner
def add_pieces(factors: Any, rows: Any, here: int, count: int, c: int, alpha: Any, beta: Any) -> None:
    """The same for a vector of each row, or only its first `count` elements."""
    s = multiply(factors[0], read_some(rows[0] + here, count, alpha))
    t = multiply(factors[1], read_some(rows[1] + here, count, alpha))
    s = multiply_add(factors[2], read_some(rows[2] + here, count, alpha), s)
    t = multiply_add(factors[3], read_some(rows[3] + here, count, alpha), t)
    s = multiply_add(factors[4], read_some(rows[4] + here, count, alpha), s)
    t = multiply_add(factors[5], read_some(rows[5] + here, count, alpha), t)
    s = multiply_add(factors[6], read_some(rows[6] + here, count, alpha), s)
    t = multiply_add(factors[7], read_some(rows[7] + here, count, alpha), t)
    sum_ = add(s, t)
    if beta != 0:
        sum_ = multiply_add(beta, read_some(c, count, alpha), sum_)
    write_some(c, count, sum_)


@inner
def add_row(columns: int, factor: Any, b: int, c: int, beta: Any) -> None:
    """Make c = factor b + beta c for a row of b."""
    size, lanes = size_of(factor), lanes_of(factor)
    for j in range(0, columns, lanes):
        count, here = min(lanes, columns - j), j * size
        sum_ = multiply(factor, read_some(b + here, count, factor))
        if beta != 0:
            sum_ = multiply_add(beta, read_some(c + here, count, factor), sum_)
        write_some(c + here, count, sum_)


@inner
def add_all_rows(
    depth: int, columns: int, a: int, a_column: int, b: int, b_row: int, c: int, alpha: Any, beta: Any, one: Any
) -> None:
    """The same for a row of a of any length but none."""
    scale = beta
    for k in range(0, depth - SUMMED + 1, SUMMED):
        add_rows(columns, a + k * a_column, a_column, b + k * b_row, b_row, c, alpha, scale)
        scale = one
    for k in range(depth // SUMMED * SUMMED, depth):
        add_row(columns, alpha * read(a + k * a_column, alpha), b + k * b_row, c, scale)
        scale = one


def one_row(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c for an a of one row, b's and c's rows in one piece: the tasks that it claims."""
    if p * size_of(alpha) <= AGAIN_BYTES and n >= threads * SUMMED:
        share_rows(n, p, a, a_column, b, b_row, c, room, thread, threads, alpha, beta, zero, one)
    else:
        share_columns(n, p, a, a_column, b, b_row, c, room, threads, alpha, beta, one)


@inner
def share_rows(
    n: int, p: int, a: int, a_column: int, b: int, b_row: int, c: int, room: int, thread: int, threads: int,
    alpha: Any, beta: Any, zero: Any, one: Any,
) -> None:  # fmt: skip
    """Each part is some of b's rows, whole, as memory brings them fastest, with sums of its own, which are added in the end."""
    for turn in range(threads):
        part = (thread + turn) % threads
        if claim(counters(room, part), 1) >= 0:
            k, end = n * part // threads, n * (part + 1) // threads
            sums, scale = (c, beta) if part == 0 else (block(room, part), zero)
            add_all_rows(end - k, p, a + k * a_column, a_column, b + k * b_row, b_row, sums, alpha, scale, one)
            finish(counters(room, part))
    if claim(counters(room, 0), 2) >= 0:
        wait(counters(room, 0), 1)
        for part in range(1, threads):
            wait(counters(room, part), 1)
            add_row(p, one, block(room, part), c, one)


@inner
def share_columns(
    n: int, p: int, a: int, a_column: int, b: int, b_row: int, c: int, room: int, threads: int, alpha: Any, beta: Any, one: Any
) -> None:
    """Each part is some columns of all of b's rows, where those are long, or few."""
    size, shared = size_of(alpha), counters(room, 0)
    groups = max(pieces(p * size, AGAIN_BYTES), min(threads, pieces(p * size, LINE)))
    task = claim(shared, groups)
    while task >= 0:
        j, end = p * task // groups, p * (task + 1) // groups
        add_all_rows(n, end - j, a, a_column, b + j * size, b_row, c + j * size, alpha, beta, one)
        finish(shared)
        task = claim(shared, groups)
