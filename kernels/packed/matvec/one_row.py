"""Products of a single row: sums of b's rows, as fast as memory brings them."""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.memory import lanes_of, read, read_some, size_of, write_some
from kernels.jit.simd import LINE, add, multiply, multiply_add
from kernels.packed.plan import between, block, counters, pieces
from kernels.packed.pool.tasks import claim, finish, wait

AGAIN_BYTES = 16 << 10
"""A task's part of the row of c stays in the first level for all rows of b, which so come in runs that the processor foresees."""

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
            k, end = between(n, part, threads)
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
        j, end = between(p, task, groups)
        add_all_rows(n, end - j, a, a_column, b + j * size, b_row, c + j * size, alpha, beta, one)
        finish(shared)
        task = claim(shared, groups)
