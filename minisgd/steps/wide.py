"""The gradient of one column of many weights, in one pass over the rows at the memory's speed.

Rows are visited in random order and each begins a page, so that the CPU foresees none of them. Four rows are multiplied with the
weights while the four before them, by now in cache, are added to the gradient and the four after them are asked for: the memory
never waits for arithmetic, and weights and sums are loaded once for four rows.
"""

from __future__ import annotations

from typing import Any

from kernels.numba_packed.memory import LINE
from kernels.simd import add, load, multiply_add, prefetch, splat, store, total
from minisgd.steps.compiled import Array, compiled, link

LANES = 16
"""Of the vectors that stream over wide rows: a cache line of float32."""


@compiled()
def add_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, start: int, stop: int, ahead: int, scale: float,
    logistic: bool, sums: Array,
) -> None:  # fmt: skip
    """Add the gradient of the visits `start` to `stop` to the first d sums, and the bias's to the last.

    The visits from `ahead` on are asked for at the end.
    """
    one, d, flat = x.dtype.type(1), x.shape[1], x.reshape(-1)
    whole = stop - (stop - start) % 4
    if start < whole:
        past, r = four(order, start, d), (one - one, one - one, one - one, one - one)
        now, following = past, four(order, start + 4 if start + 4 < whole else ahead, d)
        for at in range(start, whole + 4, 4):  # the last round only adds
            z0, z1, z2, z3 = multiply_and_add(flat, d, weights, sums, now, past, r, following)
            if at < whole:
                r = (
                    (link(z0 + bias[0], one, logistic) - y[order[at], 0]) * scale,
                    (link(z1 + bias[0], one, logistic) - y[order[at + 1], 0]) * scale,
                    (link(z2 + bias[0], one, logistic) - y[order[at + 2], 0]) * scale,
                    (link(z3 + bias[0], one, logistic) - y[order[at + 3], 0]) * scale,
                )
                sums[d, 0] += r[0] + r[1] + r[2] + r[3]
            past, now = now, following
            following = four(order, at + 8 if at + 8 < whole else ahead + at + 8 - whole, d)
    for row in order[whole:stop]:
        factor = (link(bias[0] + row_dot(flat, row * d, weights, d), one, logistic) - y[row, 0]) * scale
        add_row(factor, flat, row * d, sums, d)
        sums[d, 0] += factor


@compiled()
def four(order: Array, at: int, d: int) -> tuple[int, int, int, int]:
    """Where the rows of four visits begin, from visit `at` on; the last four of the epoch where fewer are left."""
    at = min(at, len(order) - 4)
    return order[at] * d, order[at + 1] * d, order[at + 2] * d, order[at + 3] * d


@compiled()
def multiply_and_add(flat: Array, d: int, weights: Array, sums: Array, now: Any, past: Any, r: Any, following: Any) -> Any:
    """Dot products of four rows with the weights; the past four are added to the sums, the following four asked for."""
    zero = flat.dtype.type(0)
    z0 = z1 = z2 = z3 = splat(zero, LANES)
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        for line in range(0, LANES * flat.itemsize, LINE):
            ahead = i + line // flat.itemsize
            prefetch(flat, following[0] + ahead)
            prefetch(flat, following[1] + ahead)
            prefetch(flat, following[2] + ahead)
            prefetch(flat, following[3] + ahead)
        w = load(weights, i, LANES)
        z0 = multiply_add(w, load(flat, now[0] + i, LANES), z0)
        z1 = multiply_add(w, load(flat, now[1] + i, LANES), z1)
        z2 = multiply_add(w, load(flat, now[2] + i, LANES), z2)
        z3 = multiply_add(w, load(flat, now[3] + i, LANES), z3)
        gradient = multiply_add(
            r[1], load(flat, past[1] + i, LANES), multiply_add(r[0], load(flat, past[0] + i, LANES), load(sums, i, LANES))
        )
        gradient = multiply_add(
            r[3], load(flat, past[3] + i, LANES), multiply_add(r[2], load(flat, past[2] + i, LANES), gradient)
        )
        store(sums, i, gradient)
    t0, t1, t2, t3 = total(z0), total(z1), total(z2), total(z3)
    for i in range(whole, d):
        t0 += weights[i, 0] * flat[now[0] + i]
        t1 += weights[i, 0] * flat[now[1] + i]
        t2 += weights[i, 0] * flat[now[2] + i]
        t3 += weights[i, 0] * flat[now[3] + i]
        sums[i, 0] += r[0] * flat[past[0] + i] + r[1] * flat[past[1] + i] + r[2] * flat[past[2] + i] + r[3] * flat[past[3] + i]
    return t0, t1, t2, t3


@compiled()
def row_dot(flat: Array, start: int, weights: Array, d: int) -> float:
    """Dot product of a row with the weights; two sums hide half of the latency."""
    zero = flat.dtype.type(0)
    even = odd = splat(zero, LANES)
    whole = d - d % (2 * LANES)
    for i in range(0, whole, 2 * LANES):
        even = multiply_add(load(flat, start + i, LANES), load(weights, i, LANES), even)
        odd = multiply_add(load(flat, start + i + LANES, LANES), load(weights, i + LANES, LANES), odd)
    z = total(add(even, odd))
    for i in range(whole, d):
        z += flat[start + i] * weights[i, 0]
    return z


@compiled()
def add_row(factor: float, flat: Array, start: int, sums: Array, d: int) -> None:
    """Sums += factor times a row."""
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        store(sums, i, multiply_add(factor, load(flat, start + i, LANES), load(sums, i, LANES)))
    for i in range(whole, d):
        sums[i, 0] += factor * flat[start + i]
