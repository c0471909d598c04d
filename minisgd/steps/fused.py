"""A whole epoch in one compiled call: what decides is arithmetic and memory, no longer overhead.

Limits of an epoch of n examples (one output). Batch 1: the next example waits for the weights that the last has left, a chain of
a dot product, the residual and the update, 25 to 30 cycles. Larger batches, few weights: a load, a share of a transpose and
2 (d + 1) multiply-adds in SIMD lanes, 2 to 3 cycles an example. Many weights: one pass over x at the memory's bandwidth.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.arrays import aligned_zeros
from kernels.simd import dot, load, multiply_add, prefetch, splat, store, transpose

Array = NDArray[Any]
compiled = partial(numba.njit, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")

NARROW = 6
"""The most weights that fit a row of eight beside the bias's 1 and the target."""

LANES = 16
"""Of the vectors that stream over wide rows: a cache line of float32."""

PARALLEL = 1 << 16
"""The fewest elements of a batch that are worth the microseconds of starting threads."""


def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Any:
    """Choose the loop nest by the shape, and lay out the data for it; see `minisgd.steps`."""
    (n, d), k = x.shape, y.shape[1]
    logistic, cast = objective == "logistic", weights.dtype.type
    if k == 1 and d <= NARROW:
        rows = aligned_zeros((n + 1, 8), x.dtype)  # the last row fills up a batch's last eight
        rows[:n, :d], rows[:n, 6], rows[:n, 7] = x, 1, y[:, 0]

        def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
            narrow(rows, weights, bias, order, batch_size, cast(rate), logistic)

        return epoch

    def epoch_of_rows(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        threads = numba.get_num_threads() if batch_size * d * k >= PARALLEL else 1
        loop = serial_rows if threads == 1 else parallel_rows
        loop(x, y, weights, bias, order, batch_size, cast(rate), logistic, threads)

    return epoch_of_rows


@compiled()
def link(z: float, one: float, logistic: bool) -> float:
    """Prediction from a logit, as `minisgd.objectives.sigmoid`; `one` is 1 in z's own dtype, which numba would widen."""
    if not logistic:
        return z
    e = np.exp(-abs(z))
    return (one if z >= 0 else e) / (one + e)


@compiled()
def narrow(rows: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool) -> None:
    """An epoch on rows of eight, with the weights in one: six of them, the bias, and a place for the target."""
    w = np.zeros(8, rows.dtype)
    for i in range(len(weights)):
        w[i] = weights[i, 0]
    w[6] = bias[0]
    if batch_size == 1:
        narrow_singles(rows, w, order, rate, logistic)
    else:
        narrow_batches(rows, w, order, batch_size, rate, logistic)
    for i in range(len(weights)):
        weights[i, 0] = w[i]
    bias[0] = w[6]


@compiled()
def narrow_singles(rows: Array, state: Array, order: Array, rate: float, logistic: bool) -> None:
    """Batches of one, a row to a vector.

    The logit of the next example is begun with the weights before this one moves them, and corrected by what this one moves:
    z' = w.x' - rate r (x.x'). So two dot products run beside each other, and the chain is half as long an example.
    """
    one = rows.dtype.type(1)
    target = splat(-one, 8)
    mask = np.zeros(8, rows.dtype)
    mask[7] = 1
    is_target = load(mask, 0, 8)
    mask[7], mask[:7] = 0, 1
    is_weight = load(mask, 0, 8)
    nothing = splat(one - one, 8)
    w = load(state, 0, 8)
    # With -1 at the target's place, w.x is the logit less the target at once.
    w = multiply_add(is_target, target, w)
    n = len(order)
    x = load(rows, order[0] * 8, 8) if n else nothing
    z = dot(w, x)
    for t in range(n):
        following = load(rows, order[min(t + 1, n - 1)] * 8, 8)
        ahead = dot(w, following)
        moving = multiply_add(is_weight, x, nothing)
        overlap = dot(moving, following)
        if logistic:
            y = dot(is_target, x)
            r = rate * (link(z + y, one, logistic) - y)
        else:
            r = rate * z
        w = multiply_add(-r, moving, w)
        z = ahead - r * overlap
        x = following
    store(state, 0, multiply_add(is_target, splat(one, 8), w))


@compiled()
def pick(rows: Array, order: Array, at: int, stop: int) -> Any:
    """An example as a vector; the row of zeros behind the end of a batch."""
    return load(rows, (order[at] if at < stop else rows.shape[0] - 1) * 8, 8)


@compiled()
def narrow_batches(rows: Array, state: Array, order: Array, batch_size: int, rate: float, logistic: bool) -> None:
    """Eight examples at a time, turned so that a vector holds one column of all eight; sums stay in registers."""
    one = rows.dtype.type(1)
    zero = splat(one - one, 8)
    eight = np.empty(8, rows.dtype)
    w = state
    n = len(order)
    for start in range(0, n, batch_size):
        stop = min(n, start + batch_size)
        scale = rate / rows.dtype.type(stop - start)
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = zero
        for t in range(start, stop, 8):
            c = transpose(
                (
                    pick(rows, order, t, stop),
                    pick(rows, order, t + 1, stop),
                    pick(rows, order, t + 2, stop),
                    pick(rows, order, t + 3, stop),
                    pick(rows, order, t + 4, stop),
                    pick(rows, order, t + 5, stop),
                    pick(rows, order, t + 6, stop),
                    pick(rows, order, t + 7, stop),
                )
            )
            left = multiply_add(w[2], c[2], multiply_add(w[1], c[1], multiply_add(w[0], c[0], zero)))
            right = multiply_add(w[5], c[5], multiply_add(w[4], c[4], multiply_add(w[3], c[3], zero)))
            z = multiply_add(one, left, multiply_add(w[6], c[6], right))
            if logistic:
                store(eight, 0, z)
                for lane in range(8):
                    eight[lane] = link(eight[lane], one, logistic)
                z = load(eight, 0, 8)
            r = multiply_add(-one, c[7], z)
            s0, s1, s2 = multiply_add(r, c[0], s0), multiply_add(r, c[1], s1), multiply_add(r, c[2], s2)
            s3, s4, s5 = multiply_add(r, c[3], s3), multiply_add(r, c[4], s4), multiply_add(r, c[5], s5)
            s6 = multiply_add(r, c[6], s6)
        # Turned, the sums' lanes lie side by side: seven additions of vectors in place of seven sums over lanes.
        g = transpose((s0, s1, s2, s3, s4, s5, s6, zero))
        half = multiply_add(one, multiply_add(one, g[0], g[1]), multiply_add(one, g[2], g[3]))
        rest = multiply_add(one, multiply_add(one, g[4], g[5]), multiply_add(one, g[6], g[7]))
        store(w, 0, multiply_add(-scale, multiply_add(one, half, rest), load(w, 0, 8)))


@compiled()
def add_rows(
    x: Array, y: Array, weights: Array, bias: Array, rows: Array, scale: float, logistic: bool, sums: Array, r: Array
) -> None:
    """Add these rows' part of the gradient, and of the bias's in the last row of `sums`, while each row is in cache.

    The second visit of a row comes from cache and would leave the memory idle, so it asks for the next row meanwhile: rows are
    visited in random order, which no hardware foresees.
    """
    one = x.dtype.type(1)
    d, k = weights.shape
    for at in range(len(rows)):
        row = rows[at]
        if k == 1:
            r[0] = (link(bias[0] + row_dot(x, row * d, weights, d), one, logistic) - y[row, 0]) * scale
            add_row(r[0], x, row * d, sums, d, rows[min(at + 1, len(rows) - 1)] * d)
        else:
            for j in range(k):
                r[j] = bias[j]
            for i in range(d):
                for j in range(k):
                    r[j] += x[row, i] * weights[i, j]
            for j in range(k):
                r[j] = (link(r[j], one, logistic) - y[row, j]) * scale
            for i in range(d):
                for j in range(k):
                    sums[i, j] += x[row, i] * r[j]
        for j in range(k):
            sums[d, j] += r[j]


@compiled()
def row_dot(x: Array, start: int, weights: Array, d: int) -> float:
    """Dot product of a row, given by its flat index, with one column of weights; two sums hide half of the latency."""
    one = x.dtype.type(1)
    even = odd = splat(one - one, LANES)
    whole = d - d % (2 * LANES)
    for i in range(0, whole, 2 * LANES):
        even = multiply_add(load(x, start + i, LANES), load(weights, i, LANES), even)
        odd = multiply_add(load(x, start + i + LANES, LANES), load(weights, i + LANES, LANES), odd)
    total = dot(multiply_add(one, even, odd), splat(one, LANES))
    row = start // d
    for i in range(whole, d):
        total += x[row, i] * weights[i, 0]
    return total


@compiled()
def add_row(factor: float, x: Array, start: int, sums: Array, d: int, following: int) -> None:
    """Sums += factor times a row, and a cache line of the following row asked for with each vector of this one."""
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        prefetch(x, following + i)
        if x.itemsize > 4:
            prefetch(x, following + i + LANES // 2)
        store(sums, i, multiply_add(factor, load(x, start + i, LANES), load(sums, i, LANES)))
    row = start // d
    for i in range(whole, d):
        sums[i, 0] += factor * x[row, i]


@compiled()
def serial_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool, threads: int
) -> None:
    """A batch's rows one after another: x is read once, since a row serves the forward and the gradient in one visit."""
    d, k = weights.shape
    sums, r = np.empty((d + 1, k), x.dtype), np.empty(k, x.dtype)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        sums[...] = 0
        add_rows(x, y, weights, bias, rows, rate / x.dtype.type(len(rows)), logistic, sums, r)
        weights -= sums[:d]
        bias -= sums[d]


@compiled(parallel=True)
def parallel_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool, threads: int
) -> None:
    """The same, with each thread taking a share of the batch's rows and sums of its own."""
    d, k = weights.shape
    sums, r = np.empty((threads, d + 1, k), x.dtype), np.empty((threads, k), x.dtype)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        share = (len(rows) + threads - 1) // threads
        scale = rate / x.dtype.type(len(rows))
        for thread in numba.prange(threads):
            sums[thread] = 0
            mine = rows[thread * share : (thread + 1) * share]
            add_rows(x, y, weights, bias, mine, scale, logistic, sums[thread], r[thread])
        for thread in range(threads):
            weights -= sums[thread, :d]
            bias -= sums[thread, d]
