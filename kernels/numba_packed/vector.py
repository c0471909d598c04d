"""Products with a single column, or row: dot products with it, or sums of b's rows, as fast as memory brings them."""

from __future__ import annotations

from typing import Any

from kernels.caching import inner
from kernels.numba_packed.memory import lanes_of, read, read_vector, write, write_vector, zero_vector
from kernels.numba_packed.plan import BLOCK_BYTES, block, counters, entry, pieces
from kernels.numba_packed.tasks import claim, finish, wait
from kernels.simd import add, multiply, multiply_add, total

DOTS = 4
"""Rows at once: a piece of the vector is loaded once for all of them, and their sums hide each other's latency."""

ROWS_A_TASK = 64
"""Some tens of kilobytes of rows, which take longer than claiming a task."""


@inner
def dots(height: int, depth: int, a: int, a_row: int, x: int, c: int, c_row: int, size: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a x + beta c for 1 to `DOTS` rows of a, at addresses; elements of a row, and of x, are neighbours."""
    lanes, last = lanes_of(alpha), height - 1
    # A missing row is the last one again.
    a0, a1, a2, a3 = a, a + min(1, last) * a_row, a + min(2, last) * a_row, a + min(3, last) * a_row
    s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero_vector(alpha)
    k, step = 0, lanes * size
    for _ in range(depth // (2 * lanes)):
        here, there = k * size, k * size + step
        u, v = read_vector(x + here, alpha), read_vector(x + there, alpha)
        s0, t0 = multiply_add(u, read_vector(a0 + here, alpha), s0), multiply_add(v, read_vector(a0 + there, alpha), t0)
        s1, t1 = multiply_add(u, read_vector(a1 + here, alpha), s1), multiply_add(v, read_vector(a1 + there, alpha), t1)
        s2, t2 = multiply_add(u, read_vector(a2 + here, alpha), s2), multiply_add(v, read_vector(a2 + there, alpha), t2)
        s3, t3 = multiply_add(u, read_vector(a3 + here, alpha), s3), multiply_add(v, read_vector(a3 + there, alpha), t3)
        k += 2 * lanes
    sum0, sum1, sum2, sum3 = total(s0) + total(t0), total(s1) + total(t1), total(s2) + total(t2), total(s3) + total(t3)
    for rest in range(k, depth):
        here = rest * size
        value = read(x + here, alpha)
        sum0 += value * read(a0 + here, alpha)
        sum1 += value * read(a1 + here, alpha)
        sum2 += value * read(a2 + here, alpha)
        sum3 += value * read(a3 + here, alpha)
    update(c, sum0, alpha, beta)
    if height > 1:
        update(c + c_row, sum1, alpha, beta)
    if height > 2:
        update(c + 2 * c_row, sum2, alpha, beta)
    if height > 3:
        update(c + 3 * c_row, sum3, alpha, beta)


@inner
def update(place: int, value: Any, alpha: Any, beta: Any) -> None:
    """Make an element alpha value + beta times what it was, which is not read if beta is 0."""
    scaled = alpha * value
    if beta != 0:
        scaled += beta * read(place, beta)
    write(place, scaled)


def one_column(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, size, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c for a b of one column: the tasks that it claims."""
    packing, vector, shared = b_row != size, block(room, 0), counters(room, 0)
    slabs, groups = pieces(n, entry(room, BLOCK_BYTES) // size) if packing else 1, pieces(m, ROWS_A_TASK)
    first = 0
    for slab in range(slabs):
        k0 = n * slab // slabs
        depth, scale = n * (slab + 1) // slabs - k0, beta if slab == 0 else one
        if packing:
            if claim(shared, first + 1) >= 0:
                wait(shared, first)
                for k in range(depth):
                    write(vector + k * size, read(b + (k0 + k) * b_row, zero))
                finish(shared)
            first += 1
        x = vector if packing else b + k0 * size
        task = claim(shared, first + groups)
        while task >= 0:
            wait(shared, first)
            end = m * (task - first + 1) // groups
            for i in range(m * (task - first) // groups, end, DOTS):
                dots(min(DOTS, end - i), depth, a + i * a_row + k0 * size, a_row, x, c + i * c_row, c_row, size, alpha, scale)
            finish(shared)
            task = claim(shared, first + groups)
        first += groups


SUMMED = 8
"""Rows of b at once: c is passed over once for all of them, and memory brings them side by side."""

COLUMNS_BYTES = 16 << 10
"""Of a task: c's part stays in the first level, and b's rows come in runs that the processor foresees."""


@inner
def add_rows(columns: int, a: int, a_column: int, b: int, b_row: int, c: int, size: int, alpha: Any, beta: Any) -> None:
    """Make c = alpha a b + beta c for `SUMMED` elements of a, whose elements are anywhere, and neighbours in b's rows and c."""
    f0, f1 = alpha * read(a, alpha), alpha * read(a + a_column, alpha)
    f2, f3 = alpha * read(a + 2 * a_column, alpha), alpha * read(a + 3 * a_column, alpha)
    f4, f5 = alpha * read(a + 4 * a_column, alpha), alpha * read(a + 5 * a_column, alpha)
    f6, f7 = alpha * read(a + 6 * a_column, alpha), alpha * read(a + 7 * a_column, alpha)
    b1, b2, b3, b4 = b + b_row, b + 2 * b_row, b + 3 * b_row, b + 4 * b_row
    b5, b6, b7, step = b + 5 * b_row, b + 6 * b_row, b + 7 * b_row, lanes_of(alpha) * size
    whole = columns * size // step * step
    for j in range(0, whole, step):
        s, t = multiply(f0, read_vector(b + j, alpha)), multiply(f1, read_vector(b1 + j, alpha))
        s, t = multiply_add(f2, read_vector(b2 + j, alpha), s), multiply_add(f3, read_vector(b3 + j, alpha), t)
        s, t = multiply_add(f4, read_vector(b4 + j, alpha), s), multiply_add(f5, read_vector(b5 + j, alpha), t)
        s, t = multiply_add(f6, read_vector(b6 + j, alpha), s), multiply_add(f7, read_vector(b7 + j, alpha), t)
        sum_ = add(s, t)
        if beta != 0:
            sum_ = multiply_add(beta, read_vector(c + j, alpha), sum_)
        write_vector(c + j, sum_)
    for j in range(whole, columns * size, size):
        sum_ = f0 * read(b + j, alpha) + f1 * read(b1 + j, alpha) + f2 * read(b2 + j, alpha) + f3 * read(b3 + j, alpha)
        sum_ += f4 * read(b4 + j, alpha) + f5 * read(b5 + j, alpha) + f6 * read(b6 + j, alpha) + f7 * read(b7 + j, alpha)
        if beta != 0:
            sum_ += beta * read(c + j, alpha)
        write(c + j, sum_)


def one_row(  # type: ignore[no-untyped-def]
    m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, size, room, thread, threads,
    alpha, beta, zero, one,
):  # fmt: skip
    """A thread's part in c = alpha a b + beta c for an a of one row, b's and c's rows in one piece: the tasks that it claims."""
    shared, groups = counters(room, 0), pieces(p * size, COLUMNS_BYTES)
    task = claim(shared, groups)
    while task >= 0:
        j = p * task // groups
        columns, b_here, c_here = p * (task + 1) // groups - j, b + j * size, c + j * size
        scale = beta
        for k in range(0, n - SUMMED + 1, SUMMED):
            add_rows(columns, a + k * a_column, a_column, b_here + k * b_row, b_row, c_here, size, alpha, scale)
            scale = one
        for k in range(n // SUMMED * SUMMED, n):
            factor = alpha * read(a + k * a_column, alpha)
            for place in range(0, columns * size, size):
                update(c_here + place, read(b_here + k * b_row + place, alpha), factor, scale)
            scale = one
        finish(shared)
        task = claim(shared, groups)
