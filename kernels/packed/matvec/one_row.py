"""Products of a single row: c is a sum of b's rows, which memory brings at its full speed. 2 np flops for np elements of b."""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.emit import LINE
from kernels.jit.memory import lanes_of, one, read, read_some, size_of, write_some, zero
from kernels.jit.simd import add, multiply, multiply_add
from kernels.jit.tasks import claim, finish, wait
from kernels.packed.plan import block_of, ceil_div, counters, split

AGAIN_BYTES = 16 << 10
"""Bytes of the row of c that a task makes: they stay in L1 for all rows of b, of which as long a run is read each time."""

SUMMED = 8
"""Rows of b that are added at once: c is read and written once for all of them, and memory brings them side by side."""


@inner
def add_rows(columns: int, a: int, a_column: int, b: int, b_row: int, c: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a b + beta c for `SUMMED` elements of a, which may be strided; rows of b, and c, are contiguous."""
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
        add_vectors(factors, rows, j * size, lanes, c + j * size, alpha, beta)
    if whole < columns:
        add_vectors(factors, rows, whole * size, columns - whole, c + whole * size, alpha, beta)


@inner
def add_vectors(factors: Any, rows: Any, here: int, count: int, c: int, alpha: Any, beta: Any) -> None:
    """The same for a vector of each row at byte `here`, or only its first `count` elements."""
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
def sum_rows(product: Any, k: int, depth: int, j: int, columns: int, c: int, beta: Any) -> None:
    """Make c = alpha a b + beta c for so much of the depth, from row k of b on, and so many columns, from column j on."""
    a, a_column, b_row, alpha = product.a.at + k * product.a.column, product.a.column, product.b.row, product.alpha
    b, whole = product.b.at + k * b_row + j * size_of(alpha), depth // SUMMED * SUMMED
    for done in range(0, whole, SUMMED):
        add_rows(columns, a + done * a_column, a_column, b + done * b_row, b_row, c, alpha, beta if done == 0 else one(alpha))
    for done in range(whole, depth):
        add_row(columns, alpha * read(a + done * a_column, alpha), b + done * b_row, c, beta if done == 0 else one(alpha))


def one_row(plan, product, thread):  # type: ignore[no-untyped-def]
    """A thread's part in a product of one row: the tasks that it claims.

    Assumes
    -------
    - a has one row, and elements anywhere; rows of b and c are contiguous.
    - Each part's counters are zero before the first thread begins.
    - No size is zero.
    """
    if product.p * size_of(product.alpha) <= AGAIN_BYTES and product.n >= product.threads * SUMMED:
        share_rows(plan, product, thread)
    else:
        share_columns(plan, product)


@inner
def share_rows(plan: Any, product: Any, thread: int) -> None:
    """Each part is some whole rows of b, along which memory is fastest; each has sums of its own, which are added in the end."""
    threads, p, c = product.threads, product.p, product.c.at
    for turn in range(threads):
        part = (thread + turn) % threads
        if claim(counters(plan, part), 1) >= 0:
            k, end = split(product.n, part, threads)
            sums, beta = (c, product.beta) if part == 0 else (block_of(plan, part), zero(product.alpha))
            sum_rows(product, k, end - k, 0, p, sums, beta)
            finish(counters(plan, part))
    if claim(counters(plan, 0), 2) >= 0:
        wait(counters(plan, 0), 1)
        for part in range(1, threads):
            wait(counters(plan, part), 1)
            add_row(p, one(product.alpha), block_of(plan, part), c, one(product.alpha))


@inner
def share_columns(plan: Any, product: Any) -> None:
    """Each task is some columns of all rows of b, where these are long, or few."""
    size, p, shared = size_of(product.alpha), product.p, counters(plan, 0)
    parts = max(ceil_div(p * size, AGAIN_BYTES), min(product.threads, ceil_div(p * size, LINE)))
    task = claim(shared, parts)
    while task >= 0:
        j, end = split(p, task, parts)
        sum_rows(product, 0, product.n, j, end - j, product.c.at + j * size, product.beta)
        finish(shared)
        task = claim(shared, parts)
