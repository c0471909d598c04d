"""Steps in numba: one step a call, and a step on any matrix product of the registry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import kernels
from kernels.numba_packed.gemm import gemm
from minisgd.steps import Array, Epoch, Prepare, fused, step, stepwise
from minisgd.steps.compiled import compiled, link


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


@compiled()
def residuals(z: Array, y: Array, rows: Array, bias: Array, rate: float, logistic: bool) -> None:
    """Logits without bias turned into scaled residuals, in place; their sums taken off the bias when all are made."""
    one, (n, k) = z.dtype.type(1), z.shape
    scale = z.dtype.type(rate) / z.dtype.type(n)
    sums = np.zeros(k, z.dtype)
    for i in range(n):
        r, target = z[i], y[rows[i]]
        if logistic:
            for j in range(k):
                r[j] = (link(r[j] + bias[j], one, logistic) - target[j]) * scale
        else:
            for j in range(k):
                r[j] = (r[j] + bias[j] - target[j]) * scale
        for j in range(k):
            sums[j] += r[j]
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
            # One room for all batches: fresh memory would be handed out by the system page by page.
            batch, logits = np.empty((batch_size, x.shape[1]), x.dtype), np.empty((batch_size, y.shape[1]), x.dtype)
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                examples, r = batch[: len(rows)], logits[: len(rows)]
                np.take(x, rows, axis=0, out=examples, mode="clip")
                multiply(examples, weights, r)
                residuals(r, y, rows, bias, rate, objective == "logistic")
                descend(examples, r)

        return epoch

    return prepare


step("numba-gemm", compiles=True, threads=True)(on_gemm("numba/full"))
