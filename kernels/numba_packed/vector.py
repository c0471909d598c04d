"""A product with a single column: dot products of a's rows with it, as fast as memory brings them."""

from __future__ import annotations

from typing import Any

from numba import njit

from kernels.numba_packed.memory import lanes_of, read, read_vector, write, zero_vector
from kernels.numba_packed.plan import BLOCK_BYTES, block, counters, entry, pieces
from kernels.numba_packed.tasks import claim, finish, wait
from kernels.simd import multiply_add, total

DOTS = 4
"""Rows at once: a piece of the vector is loaded once for all of them, and their sums hide each other's latency."""

ROWS_A_TASK = 64
"""Some tens of kilobytes of rows, which take longer than claiming a task."""


@njit
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


@njit
def update(place: int, value: Any, alpha: Any, beta: Any) -> None:
    """Make an element alpha value + beta times what it was, which is not read if beta is 0."""
    scaled = alpha * value
    if beta != 0:
        scaled += beta * read(place, beta)
    write(place, scaled)


def single(  # type: ignore[no-untyped-def]
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
