"""An epoch with few weights: they stay in one register, and so does every example.

An example is a row of eight, six weights' worth of features beside the bias's 1 and the target, and the weights are such a row
too, with -1 at the target's place: their dot product is the residual of squared error at once.

- A batch of one waits for the weights that the last has left. The logit of the next example is begun before that, and corrected
  by what the update moves: z' = w.x' - rate r (x.x'). So two dot products run beside each other.
- A larger batch takes sixteen examples at a time, two to a vector: eight products with the weights, merged into residuals by
  three rounds of shuffles and additions, and eight multiply-adds of residuals and examples, in four sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.arrays import aligned_zeros
from kernels.simd import add, dot, first_half, join, keep, load, multiply, multiply_add, shuffle, splat, store
from minisgd.steps.compiled import Array, compiled, link

WEIGHTS = 6
"""The most weights that fit a row of eight beside the bias's 1 and the target."""

BIAS, TARGET, ROW, GROUP = 6, 7, 8, 16


def rows_of_eight(x: Array, y: Array) -> Array:
    """Features (n, d), ones and targets (n, 1) in rows of eight that do not straddle cache lines."""
    n, d = x.shape
    rows = aligned_zeros((n, ROW), x.dtype)
    rows[:, :d], rows[:, BIAS], rows[:, TARGET] = x, 1, y[:, 0]
    return rows


LANES = tuple(range(ROW))

NUMBERS = (0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11)
"""Which example of its four pairs, counted in visits, a lane of `scores` is."""

low_halves, high_halves = shuffle(0, 1, 4, 5), shuffle(2, 3, 6, 7)
evens, odds = shuffle(0, 2, 4, 6), shuffle(1, 3, 5, 7)
lane_0, lane_1, lane_2, lane_3 = shuffle(0, 0, 0, 0), shuffle(1, 1, 1, 1), shuffle(2, 2, 2, 2), shuffle(3, 3, 3, 3)
only_target = shuffle(TARGET, *[ROW] * 7)
swap_fours, swap_eights = shuffle(4, 5, 6, 7, 0, 1, 2, 3), shuffle(*range(8, 16), *range(8))


@compiled()
def pair(rows: Array, order: Array, t: int, u: int) -> Any:
    """The examples of visits t and u, which are unsigned, since numba lets a signed index count from the end."""
    return join(load(rows, order[np.uint64(t)] * ROW, ROW), load(rows, order[np.uint64(u)] * ROW, ROW))


@compiled()
def four_pairs(rows: Array, order: Array, t: int) -> Any:
    """The examples of visits t to t + 3, each with the one eight visits later."""
    p, q, r = t + 1, t + 2, t + 3
    return (
        pair(rows, order, t, t + 8),
        pair(rows, order, p, p + 8),
        pair(rows, order, q, q + 8),
        pair(rows, order, r, r + 8),
    )


@compiled()
def last_four_pairs(rows: Array, order: Array, t: int) -> Any:
    """The same near the end of the epoch, with its last example in the place of those beyond."""
    end = len(order) - 1
    p, q, r = t + 1, t + 2, t + 3
    return (
        pair(rows, order, min(t, end), min(t + 8, end)),
        pair(rows, order, min(p, end), min(p + 8, end)),
        pair(rows, order, min(q, end), min(q + 8, end)),
        pair(rows, order, min(r, end), min(r + 8, end)),
    )


@compiled()
def sums_of_eights(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Each eight lanes summed up: of a in lanes 0 and 4 of the eight, of b in 1 and 5, c in 2 and 6, d in 3 and 7."""
    ab = add(low_halves(a, b), high_halves(a, b))
    cd = add(low_halves(c, d), high_halves(c, d))
    fours = add(evens(ab, cd), odds(ab, cd))
    return add(fours, swap_fours(fours, fours))


@compiled()
def scores(w: Any, x: Any) -> Any:
    """Logits less targets of the examples in four pairs, in the lanes that `NUMBERS` tells."""
    return sums_of_eights(multiply(w, x[0]), multiply(w, x[1]), multiply(w, x[2]), multiply(w, x[3]))


@compiled()
def logistic_residuals(scores: Any, x: Any, one: float) -> Any:
    """Predictions less targets, from logits less targets."""
    o = splat(one - one, GROUP)
    y = sums_of_eights(only_target(x[0], o), only_target(x[1], o), only_target(x[2], o), only_target(x[3], o))
    room = np.full(GROUP, one)
    store(room, 0, add(scores, y))
    for lane in range(GROUP):
        room[lane] = link(room[lane], one, True) if lane % ROW < 4 else room[lane - 4]
    return multiply_add(-one, y, load(room, 0, GROUP))


@compiled()
def add_four(sums: Any, x: Any, r: Any) -> Any:
    """The four sums with the examples of four pairs added, each as many times as its residual says."""
    return (
        multiply_add(lane_0(r, r), x[0], sums[0]),
        multiply_add(lane_1(r, r), x[1], sums[1]),
        multiply_add(lane_2(r, r), x[2], sums[2]),
        multiply_add(lane_3(r, r), x[3], sums[3]),
    )


@compiled()
def epoch(rows: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool) -> None:
    """One epoch; weights (d, 1) and bias (1,) are updated in place. A rate of numpy's own type would cost 0.4 us to hand over."""
    if len(order) == 0:
        return
    state, rate = np.zeros(ROW, rows.dtype), rows.dtype.type(rate)
    for i in range(len(weights)):  # a slice would be checked for overlap, at the cost of some hundred nanoseconds
        state[i] = weights[i, 0]
    state[BIAS], state[TARGET] = bias[0], -1
    if batch_size == 1:
        singles(rows, state, order, rate, logistic)
    elif logistic:
        batches(rows, state, order, batch_size, rate, True)
    else:
        batches(rows, state, order, batch_size, rate, False)
    for i in range(len(weights)):
        weights[i, 0] = state[i]
    bias[0] = state[BIAS]


@compiled()
def singles(rows: Array, state: Array, order: Array, rate: float, logistic: bool) -> None:
    """Batches of one."""
    one, n = rows.dtype.type(1), len(order)
    w, learnt = load(state, 0, ROW), keep(splat(one, ROW), LANES, TARGET)
    x = load(rows, order[0] * ROW, ROW)
    z = dot(w, x)
    for t in range(n):
        following = load(rows, order[min(t + 1, n - 1)] * ROW, ROW)
        ahead = dot(w, following)
        moving = multiply(learnt, x)
        overlap = dot(moving, following)
        if logistic:
            y = rows[order[t], TARGET]
            r = rate * (link(z + y, one, logistic) - y)
        else:
            r = rate * z
        w = multiply_add(-r, moving, w)
        z = ahead - r * overlap
        x = following
    store(state, 0, w)


@compiled(inline="always")
def batches(rows: Array, state: Array, order: Array, batch_size: int, rate: float, logistic: bool) -> None:
    """Batches of two and more. The examples beyond a batch's end are read with it, and their residuals dropped."""
    one, n = rows.dtype.type(1), len(order)
    row, learnt = load(state, 0, ROW), keep(splat(one, ROW), LANES, TARGET)
    w, learnt = join(row, row), join(learnt, learnt)
    nothing = splat(one - one, GROUP)
    for start in range(0, n, batch_size):
        stop = min(n, start + batch_size)
        scale = multiply(-rate / rows.dtype.type(stop - start), learnt)
        sums = (nothing, nothing, nothing, nothing)
        for t in range(start, stop, GROUP):
            if t + GROUP <= n:
                x, x4 = four_pairs(rows, order, t), four_pairs(rows, order, t + 4)
            else:
                x, x4 = last_four_pairs(rows, order, t), last_four_pairs(rows, order, t + 4)
            r, r4 = scores(w, x), scores(w, x4)
            if logistic:
                r, r4 = logistic_residuals(r, x, one), logistic_residuals(r4, x4, one)
            sums = add_four(sums, x, keep(r, NUMBERS, stop - t))
            sums = add_four(sums, x4, keep(r4, NUMBERS, stop - t - 4))
        both = add(add(sums[0], sums[1]), add(sums[2], sums[3]))
        w = multiply_add(scale, add(both, swap_eights(both, both)), w)
    store(state, 0, first_half(w))
