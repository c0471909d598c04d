"""An epoch with few weights: they stay in one register, and so does every example.

An example is a row of eight, six weights' worth of features beside the bias's 1 and the target, and the weights are such a row
too, with -1 at the target's place: their dot product is the residual of squared error at once.

- A batch of one waits for the weights that the last has left. The logit of the next example is begun before that, and corrected
  by what the update moves: z' = w.x' - rate r (x.x'). So two dot products run beside each other.
- A larger batch takes eight examples at a time, two to a vector. Two such vectors are interleaved by twos, so that one of
  products with the weights has two features of four examples: what is left of each logit are three sums of neighbours. The same
  interleaved vectors, times their residuals, add up to the gradient, in four sums.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from kernels.arrays import aligned_zeros
from kernels.jit.memory import pointer, read, write
from kernels.jit.records import layout_of, record_at
from kernels.jit.simd import add, dot, first_half, join, keep, load, multiply, multiply_add, shuffle, splat, store
from minisgd.steps import Epoch
from minisgd.steps.compiled import Array, compiled, link, require_visits

WEIGHTS = 6
"""The most weights that fit a row of eight beside the bias's 1 and the target."""

BIAS, TARGET, ROW, PAIR = 6, 7, 8, 16

EXAMPLES = 8
"""At once, in four vectors."""


problem_layout = layout_of(("rows", "n", "weights", "bias", "d", "logistic"))
problem_at = record_at(problem_layout)
"""What stays the same from epoch to epoch: addresses of the rows and of what is learnt, and sizes."""


def prepare(x: Array, y: Array, weights: Array, bias: Array, logistic: bool) -> Epoch:
    """Lay out features (n, d), ones and targets (n, 1) in rows of eight that do not straddle cache lines; see `minisgd.steps`.

    One more row is for the weights. To pass numba an array takes long beside an epoch, so what stays the same is written into a
    record once.
    """
    n, d = x.shape
    rows = aligned_zeros((n + 1, ROW), x.dtype)
    rows[:n, :d], rows[:n, BIAS], rows[:n, TARGET] = x, 1, y[:, 0]
    problem = np.empty(1, problem_layout(x.dtype))
    problem[0] = rows.ctypes.data, n, weights.ctypes.data, bias.ctypes.data, d, logistic
    epoch, address, kept = epoch_of(x.dtype), problem.ctypes.data, (rows, weights, bias, problem)

    def run(order: NDArray[np.int64], batch_size: int, rate: float, _kept: Any = kept) -> None:  # addresses keep nothing alive
        epoch(address, order, batch_size, rate)

    return run


LANES = tuple(range(ROW))

VISITS = (0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7)
"""Which of eight examples a lane of `scores` is."""

low_twos, high_twos = shuffle(0, 1, 4, 5), shuffle(2, 3, 6, 7)
evens, odds = shuffle(0, 2, 4, 6), shuffle(1, 3, 5, 7)
spread_first_two, spread_last_two = shuffle(0, 0, 1, 1), shuffle(2, 2, 3, 3)
swap_fours, swap_eights = shuffle(4, 5, 6, 7, 0, 1, 2, 3), shuffle(*range(8, 16), *range(8))


@compiled()
def pair(rows: Array, order: Array, t: int, u: int) -> Any:
    """The examples of visits t and u, which are unsigned, since numba lets a signed index count from the end."""
    return join(load(rows, order[np.uint64(t)] * ROW, ROW), load(rows, order[np.uint64(u)] * ROW, ROW))


@compiled()
def interleaved(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Of each four lanes the first two of a and b, their last two, and the same of c and d."""
    return low_twos(a, b), high_twos(a, b), low_twos(c, d), high_twos(c, d)


@compiled()
def eight(rows: Array, order: Array, t: int) -> Any:
    """The examples of visits t to t + 7, interleaved."""
    p, q, r = t + 1, t + 2, t + 3
    return interleaved(
        pair(rows, order, t, t + 4), pair(rows, order, p, p + 4), pair(rows, order, q, q + 4), pair(rows, order, r, r + 4)
    )


@compiled()
def last_eight(rows: Array, order: Array, t: int) -> Any:
    """The same near the end of the epoch, with its last example in the place of those beyond."""
    end = len(order) - 1
    p, q, r = t + 1, t + 2, t + 3
    return interleaved(
        pair(rows, order, min(t, end), min(t + 4, end)),
        pair(rows, order, min(p, end), min(p + 4, end)),
        pair(rows, order, min(q, end), min(q + 4, end)),
        pair(rows, order, min(r, end), min(r + 4, end)),
    )


@compiled()
def scores(w: Any, x: Any) -> Any:
    """Products of eight examples with the weights, in the lanes that `VISITS` tells: logits less targets, or residuals."""
    low, high = low_twos(w, w), high_twos(w, w)
    ab = multiply_add(low, x[0], multiply(high, x[1]))
    cd = multiply_add(low, x[2], multiply(high, x[3]))
    fours = add(evens(ab, cd), odds(ab, cd))
    return add(fours, swap_fours(fours, fours))


@compiled()
def logistic_residuals(scores: Any, y: Any, one: float) -> Any:
    """Predictions less targets, from logits less targets."""
    values = np.full(PAIR, one)
    store(values, 0, add(scores, y))
    for lane in range(PAIR):
        values[lane] = link(values[lane], one, True) if lane % ROW < 4 else values[lane - 4]
    return multiply_add(-one, y, load(values, 0, PAIR))


@compiled()
def add_eight(sums: Any, x: Any, r: Any) -> Any:
    """The four sums with eight examples added, each as many times as its residual says; `gradient` of them is the sum."""
    r_ab, r_cd = spread_first_two(r, r), spread_last_two(r, r)
    return (
        multiply_add(r_ab, x[0], sums[0]),
        multiply_add(r_ab, x[1], sums[1]),
        multiply_add(r_cd, x[2], sums[2]),
        multiply_add(r_cd, x[3], sums[3]),
    )


@compiled()
def gradient(sums: Any) -> Any:
    """What `add_eight` has added up, in order again, twice in a vector."""
    low, high = add(sums[0], sums[2]), add(sums[1], sums[3])
    both = add(low_twos(low, high), high_twos(low, high))
    return add(both, swap_eights(both, both))


@cache
def epoch_of(dtype: Any) -> Any:
    """The compiled epoch of a dtype; only what changes from epoch to epoch is handed over to it."""
    zero = dtype.type(0)

    @compiled()
    def epoch(problem: int, order: Array, batch_size: int, rate: float) -> None:
        """Update weights in place; `problem` is the address of the record that `prepare` writes."""
        if len(order) == 0:
            return
        given = problem_at(problem, zero)
        require_visits(order, given.n)
        rows, d, logistic = carray(pointer(given.rows, zero), (given.n + 1, ROW)), given.d, given.logistic
        state, step = rows[-1], rows.dtype.type(rate)
        for i in range(WEIGHTS):
            state[i] = read(given.weights + i * rows.itemsize, zero) if i < d else zero
        state[BIAS], state[TARGET] = read(given.bias, zero), -1
        if batch_size == 1:
            singles(rows, state, order, step, logistic)
        elif logistic:
            batches(rows, state, order, batch_size, step, True)
        else:
            batches(rows, state, order, batch_size, step, False)
        for i in range(d):
            write(given.weights + i * rows.itemsize, state[i])
        write(given.bias, state[BIAS])

    return epoch


@compiled()
def singles(rows: Array, state: Array, order: Array, rate: float, logistic: int) -> None:
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
    targets = multiply_add(-one, learnt, splat(one, ROW))
    w, learnt, targets = join(row, row), join(learnt, learnt), join(targets, targets)
    nothing = splat(one - one, PAIR)
    for start in range(0, n, batch_size):
        stop = min(n, start + batch_size)
        scale = multiply(-rate / rows.dtype.type(stop - start), learnt)
        sums = (nothing, nothing, nothing, nothing)
        for t in range(start, stop, EXAMPLES):
            x = eight(rows, order, t) if t + EXAMPLES <= n else last_eight(rows, order, t)
            r = scores(w, x)
            if logistic:
                r = logistic_residuals(r, scores(targets, x), one)
            sums = add_eight(sums, x, keep(r, VISITS, stop - t))
        w = multiply_add(scale, gradient(sums), w)
    store(state, 0, first_half(w))
