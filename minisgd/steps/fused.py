"""A whole epoch in one compiled call: its time is arithmetic and memory, no longer overhead.

At batch 1 with one output latency decides: each example waits for the weights that the one before has left, through a dot
product, the residual and the update. In larger batches of few weights instructions decide: for each example a load, a share of
the shuffles and a few multiply-adds in SIMD lanes. With many weights it is one pass over x at the memory's bandwidth.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from kernels.jit.parallel import entrance
from kernels.jit.scratch import scratch
from kernels.jit.tasks import COUNTERS_BYTES, begin, claim, finish, wait
from minisgd.steps import narrow, wide
from minisgd.steps.compiled import Array, compiled, link, require_visits

PARALLEL = 1 << 16
"""The fewest elements of a batch that are worth the microseconds of starting threads."""

SHARES = 2
"""Tasks a thread that a batch's rows make: a thread that the machine slows down leaves some to the others."""

APART = 16
"""Rows of sums that keep threads apart in memory; the first of them is the bias's."""


def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Any:
    """Choose the loop nest by the shape, and lay out the data for it; see `minisgd.steps`."""
    d, k = weights.shape
    logistic = objective == "logistic"
    if k == 1 and d <= narrow.WEIGHTS:
        return narrow.prepare(x, y, weights, bias, logistic)

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        threads = numba.get_num_threads() if batch_size * d * k >= PARALLEL else 1
        loop, entered = (serial_rows, nullcontext()) if threads == 1 else (parallel_rows, entrance())
        with entered:
            loop(x, y, weights, bias, order, batch_size, weights.dtype.type(rate), logistic, threads)

    return epoch


@compiled()
def add_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, start: int, stop: int, ahead: int, scale: float,
    logistic: bool, sums: Array, r: Array,
) -> None:  # fmt: skip
    """Add the gradient of the visits `start` to `stop`, and of the bias in the last row of `sums`, in one pass over the rows."""
    one = x.dtype.type(1)
    d, k = weights.shape
    if k == 1:
        wide.add_rows(x, y, weights, bias, order, start, stop, ahead, scale, logistic, sums)
        return
    for row in order[start:stop]:
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
def update(weights: Array, bias: Array, sums: Array) -> None:
    """Subtract the sums, and clear them."""
    d, k = weights.shape
    for j in range(k):
        for i in range(d):
            weights[i, j] -= sums[i, j]
            sums[i, j] = 0
        bias[j] -= sums[d, j]
        sums[d, j] = 0


@compiled()
def serial_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool, threads: int
) -> None:
    """A batch's rows one after another: x is read once, since a row serves the forward and the gradient in one visit."""
    require_visits(order, len(x))
    d, k = weights.shape
    sums, r = scratch((d + 1, k), x.dtype), np.empty(k, x.dtype)
    for start in range(0, len(order), batch_size):
        stop = min(start + batch_size, len(order))
        add_rows(x, y, weights, bias, order, start, stop, stop, rate / x.dtype.type(stop - start), logistic, sums, r)
        update(weights, bias, sums)


@compiled(parallel=True)
def parallel_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool, threads: int
) -> None:
    """The same by threads that are started once: a batch is a task for each share of its rows, and one for the update."""
    require_visits(order, len(x))
    d, k = weights.shape
    sums = scratch((threads, d + APART, k), x.dtype)  # the threads' rows apart
    counters = np.zeros(COUNTERS_BYTES, np.uint8)
    shared = np.int64(counters.ctypes.data)
    begin(shared)
    for thread in numba.prange(threads):
        run_tasks(x, y, weights, bias, order, batch_size, rate, logistic, shared, sums, thread)


@compiled()
def run_tasks(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, batch_size: int, rate: float, logistic: bool,
    shared: int, sums: Array, thread: int,
) -> None:  # fmt: skip
    """Do tasks of the epoch until none is left, with the gradient of one's own shares in `sums[thread]`."""
    threads, r = len(sums), np.empty(weights.shape[1], x.dtype)
    of_a_batch = SHARES * threads + 1
    tasks = (len(order) + batch_size - 1) // batch_size * of_a_batch
    task = claim(shared, tasks)
    while task >= 0:
        batch, share = divmod(task, of_a_batch)
        if share < of_a_batch - 1:
            wait(shared, batch * of_a_batch)
            start, stop = batch * batch_size, min((batch + 1) * batch_size, len(order))
            scale, size = rate / x.dtype.type(stop - start), (stop - start + of_a_batch - 2) // (of_a_batch - 1)
            start = min(start + share * size, stop)
            mine = min(start + size, stop)
            add_rows(x, y, weights, bias, order, start, mine, start + threads * size, scale, logistic, sums[thread], r)
        else:
            wait(shared, task)
            for other in range(threads):
                update(weights, bias, sums[other])
        finish(shared)
        task = claim(shared, tasks)
