"""Products with few columns: each is dot products with the rows of a, which memory brings at its full speed."""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.memory import EIGHT, one, read_eight, size_of, write_some
from kernels.jit.pointers import call
from kernels.jit.simd import multiply, multiply_add
from kernels.jit.tasks import claim, finish, wait
from kernels.packed.matvec.dots import FOUR, MOST_COLUMNS, SUMS, eight_dots, new_dots
from kernels.packed.packing import transpose
from kernels.packed.plan import block_of, ceil_div, counters, split

ROWS_A_TASK = 64
"""At least: they take longer than claiming a task."""

LONG_BYTES = 2 << 10
"""Bytes of a row of a from which rows are read eight at a time. Shorter ones come sooner four at a time, but with two columns."""

AGAIN_BYTES = 16 << 10
"""Bytes of rows of a that stay in L1 while they are read again, for each `MOST_COLUMNS` columns."""


@inner
def short_dots(count: int, depth: int, a: int, a_row: int, x: int, c: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a x + beta c for rows of up to eight elements, eight rows at a time; c is contiguous."""
    size, u = size_of(alpha), multiply(alpha, read_eight(x, depth, alpha))
    whole = count // EIGHT * EIGHT
    for i in range(0, whole, EIGHT):
        set_elements(EIGHT, c + i * size, eight_dots(a + i * a_row, a_row, EIGHT - 1, depth, u), beta)
    if whole < count:
        last = count - whole - 1
        set_elements(last + 1, c + whole * size, eight_dots(a + whole * a_row, a_row, last, depth, u), beta)


@inner
def set_elements(count: int, address: int, sums: Any, beta: Any) -> None:
    """Make the first `count` of eight elements at an address the sums, plus beta times what they were."""
    if beta != 0:
        sums = multiply_add(beta, read_eight(address, count, beta), sums)
    write_some(address, count, sums)


def few_columns(plan, product, thread):  # type: ignore[no-untyped-def]
    """A thread's part in a product with few columns: the tasks that it claims, of some rows of a each.

    Where columns of b are not contiguous, they are packed first, as many rows of b at a time as a block holds.

    Assumes
    -------
    - Rows of a are contiguous.
    - The first part's counters are zero before the first thread begins.
    - No size is zero.
    """
    m, n, p, size, b, shared = product.m, product.n, product.p, size_of(product.alpha), product.b, counters(plan, 0)
    packs, packed, dots = b.row != size, block_of(plan, 0), new_dots(product.alpha)
    panels = ceil_div(n, plan.block_bytes // size // p) if packs else 1
    groups = ceil_div(m, max(ROWS_A_TASK, AGAIN_BYTES // (n * size))) if product.threads > 1 else 1
    dots.alpha, dots.beta, dots.a_row = product.alpha, product.beta, product.a.row
    dots.c_row, dots.c_column = product.c.row, product.c.column
    first = 0
    for panel in range(panels):
        k, end = split(n, panel, panels)
        dots.depth, dots.x, dots.x_column = end - k, b.at + k * size, b.column
        if packs:
            dots.x, dots.x_column = packed, dots.depth * size
            if claim(shared, first + 1) >= 0:
                wait(shared, first)
                transpose(b.at + k * b.row, b.row, b.column, packed, dots.x_column, dots.depth, p, product.alpha)
                finish(shared)
            first += 1
        task = claim(shared, first + groups)
        while task >= 0:
            wait(shared, first)
            i, after = split(m, task - first, groups)
            multiply_rows(plan, product, dots, k, i, after)
            finish(shared)
            task = claim(shared, first + groups)
        first += groups
        dots.beta = one(product.alpha)


@inner
def multiply_rows(plan: Any, product: Any, dots: Any, k: int, i: int, end: int) -> None:
    """Rows `i` to `end` of a, from column k on, by all columns: so many rows at a time as stay in L1 for each few columns.

    Assumes
    -------
    - The record of dot products has all but the sizes and addresses of a and c.
    """
    p, size, x = product.p, size_of(product.alpha), dots.x
    if product.n <= EIGHT and p == 1 and product.c.row == size:
        a, c = product.a.at + i * product.a.row, product.c.at + i * size
        short_dots(end - i, dots.depth, a, dots.a_row, x, c, dots.alpha, dots.beta)
        return
    dots.height = EIGHT if p * EIGHT <= SUMS and (p == 2 or dots.depth * size >= LONG_BYTES) else FOUR
    turns, rows = ceil_div(p, MOST_COLUMNS), end - i
    if p > MOST_COLUMNS:
        rows = max(1, AGAIN_BYTES // (dots.depth * size * FOUR)) * FOUR
    while i < end:
        dots.rows, dots.a = min(rows, end - i), product.a.at + i * product.a.row + k * size
        for turn in range(turns):
            j, after = split(p, turn, turns)
            dots.width, dots.x = after - j, x + j * dots.x_column
            dots.c = product.c.at + i * dots.c_row + j * dots.c_column
            call(plan.dots, dots)
        i += rows
    dots.x = x
