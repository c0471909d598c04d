"""Products with a few columns: dot products with them, as fast as memory brings the rows of a."""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.memory import EIGHT, read_eight, size_of, write_some
from kernels.jit.pointers import call
from kernels.jit.simd import multiply, multiply_add
from kernels.packed.matvec.dots import FOUR, MOST_COLUMNS, SUMS, eight_dots
from kernels.packed.packing import transpose
from kernels.packed.plan import BLOCK_BYTES, DOTS, between, block, counters, entry, pieces
from kernels.packed.pool.tasks import claim, finish, wait

ROWS_A_TASK = 64
"""Some tens of kilobytes of rows, which take longer than claiming a task."""

LONG_BYTES = 2 << 10
"""Rows of a as long as that come sooner eight at a time; shorter ones sooner four at a time, but with two columns."""

AGAIN_BYTES = 16 << 10
"""Rows of a that stay in the first level while they are gone over again, for each of a few columns."""


@inner
def short_dots(count: int, depth: int, a: int, a_row: int, x: int, c: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a x + beta c, at addresses, for rows of up to eight elements, eight at a time; c's are neighbours too."""
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
    tiles, turns = entry(room, DOTS), 0 if short else pieces(p, MOST_COLUMNS)
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
        tall = EIGHT if p * EIGHT <= SUMS and (p == 2 or depth * size >= LONG_BYTES) else FOUR
        at_once = max(1, AGAIN_BYTES // (depth * size * FOUR)) * FOUR if p > MOST_COLUMNS else m
        task = claim(shared, first + groups)
        while task >= 0:
            wait(shared, first)
            i, end = between(m, task - first, groups)
            while i < end:
                count, rows, c_rows = min(at_once, end - i), a + i * a_row + k0 * size, c + i * c_row
                if short:
                    short_dots(count, depth, rows, a_row, x, c_rows, alpha, scale)
                for turn in range(turns):
                    j, after = between(p, turn, turns)
                    x_at, c_at = x + j * x_column, c_rows + j * c_column
                    call(tiles, tall, after - j, count, depth, rows, a_row, x_at, x_column, c_at, c_row, c_column, alpha, scale)
                i += count
            finish(shared)
            task = claim(shared, first + groups)
        first += groups
