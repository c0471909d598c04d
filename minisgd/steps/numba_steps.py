"""Steps in numba: one step a call, and a step on any matrix product of the registry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import kernels
from kernels.jit.scratch import scratch
from kernels.jit.simd import add, load, multiply, multiply_add, prefetch, store
from kernels.packed import gemm
from minisgd.steps import Array, Epoch, Prepare, fused, step, stepwise
from minisgd.steps.compiled import LANES, compiled, link, require_visits


@compiled()
def one_step(weights: Array, bias: Array, x: Array, y: Array, rate: float, logistic: bool) -> None:
    """Residuals of the batch first, then the update, in loops over its rows."""
    n, d = x.shape
    k = y.shape[1]
    one, scale = x.dtype.type(1), x.dtype.type(rate) / x.dtype.type(n)
    r = np.empty((n, k), x.dtype)
    for row in range(n):
        for j in range(k):
            z = bias[j]
            for i in range(d):
                z += x[row, i] * weights[i, j]
            r[row, j] = (link(z, one, logistic) - y[row, j]) * scale
    for row in range(n):
        for j in range(k):
            bias[j] -= r[row, j]
            for i in range(d):
                weights[i, j] -= r[row, j] * x[row, i]


@step("numba", compiles=True)
@stepwise
def single(weights: Array, bias: Array, x: Array, y: Array, rate: float, objective: str) -> None:
    """One step a call: what is left of the overhead is numpy's gathering of the batch and numba's call."""
    one_step(weights, bias, x, y, rate, objective == "logistic")


step("numba-fused", compiles=True, threads=True)(fused.prepare)


AHEAD = 4
"""Visits: their rows are prefetched while one is used, since they lie anywhere."""


@compiled()
def gather(x: Array, rows: Array, batch: Array) -> None:
    """Copy rows of x."""
    require_visits(rows, len(x))
    d, source, target = x.shape[1], x.reshape(-1), batch.reshape(-1)
    whole = d - d % LANES
    for i in range(len(rows)):
        here, there, ahead = rows[i] * d, i * d, rows[min(i + AHEAD, len(rows) - 1)] * d
        for j in range(0, whole, LANES):
            prefetch(source, ahead + j, LANES)
            store(target, there + j, load(source, here + j, LANES))
        for j in range(whole, d):
            target[there + j] = source[here + j]


@compiled()
def residuals(z: Array, y: Array, rows: Array, bias: Array, rate: float, logistic: bool) -> None:
    """Turn logits without bias into scaled residuals, in place; then subtract their sums from the bias."""
    one, (n, k) = z.dtype.type(1), z.shape
    scale = z.dtype.type(rate) / z.dtype.type(n)
    r, targets, sums = z.reshape(-1), y.reshape(-1), scratch((k,), z.dtype)
    whole = 0 if logistic else k - k % LANES
    for i in range(n):
        here, row, ahead = i * k, rows[i] * k, rows[min(i + AHEAD, n - 1)] * k
        for j in range(0, whole, LANES):
            prefetch(targets, ahead + j, LANES)
            logits = add(load(r, here + j, LANES), load(bias, j, LANES))
            some = multiply(scale, multiply_add(-one, load(targets, row + j, LANES), logits))
            store(r, here + j, some)
            store(sums, j, add(load(sums, j, LANES), some))
        for j in range(whole, k):
            r[here + j] = (link(r[here + j] + bias[j], one, logistic) - targets[row + j]) * scale
            sums[j] += r[here + j]
    for j in range(k):
        bias[j] -= sums[j]


def on_gemm(kernel: str) -> Prepare:
    """A step whose forward and gradient run on a matrix product of the registry, one that takes numpy arrays."""
    entry = kernels.find(kernel)

    def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
        multiply = entry.bind(entry.tile_for(str(x.dtype)))
        gradient = np.empty_like(weights)

        def descend(examples: Array, r: Array) -> None:
            if entry.function is gemm:  # takes the transposed view as it is, and adds to what is there
                gemm(examples.T, r, weights, alpha=-1.0, beta=1.0)
                return
            multiply(np.ascontiguousarray(examples.T), r, gradient)  # simple kernels are slow on strided rows
            np.subtract(weights, gradient, out=weights)

        def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
            # The same memory for all batches: fresh memory would be handed out by the system page by page.
            batch, logits = np.empty((batch_size, x.shape[1]), x.dtype), np.empty((batch_size, y.shape[1]), x.dtype)
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                examples, r = batch[: len(rows)], logits[: len(rows)]
                gather(x, rows, examples)
                multiply(examples, weights, r)
                residuals(r, y, rows, bias, rate, objective == "logistic")
                descend(examples, r)

        return epoch

    return prepare


step("numba-gemm", compiles=True, threads=True)(on_gemm("numba/full"))
