"""Steps in numba: one step a call, and a step on any matrix product of the registry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import kernels
from minisgd.objectives import residual
from minisgd.steps import Array, Epoch, Prepare, fused, step, stepwise
from minisgd.steps.fused import compiled, link


@compiled()
def one_step(weights: Array, bias: Array, x: Array, y: Array, rate: float, logistic: bool) -> None:
    """Residuals of the batch first, then the update, in loops over its rows."""
    n, d = x.shape
    k = y.shape[1]
    one = x.dtype.type(1)
    r = np.empty((n, k), x.dtype)
    for row in range(n):
        for j in range(k):
            z = bias[j]
            for i in range(d):
                z += x[row, i] * weights[i, j]
            r[row, j] = (link(z, one, logistic) - y[row, j]) * (rate / n)
    for row in range(n):
        for j in range(k):
            bias[j] -= r[row, j]
            for i in range(d):
                weights[i, j] -= r[row, j] * x[row, i]


@step("numba", compiles=True)
@stepwise
def single(weights: Array, bias: Array, x: Array, y: Array, rate: float, objective: str) -> None:
    """One step a call: what is left of the overhead is numpy's gathering of the batch and numba's call."""
    one_step(weights, bias, x, y, weights.dtype.type(rate), objective == "logistic")


step("numba-fused", compiles=True, threads=True)(fused.prepare)


def on_gemm(kernel: str) -> Prepare:
    """A step whose forward and gradient run on a matrix product of the registry, one that takes numpy arrays."""
    entry = kernels.find(kernel)

    def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
        multiply = entry.bind(entry.tile_for(str(x.dtype)))
        gradient = np.empty_like(weights)
        logits = np.empty_like(y)

        def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                examples, z = x[rows], logits[: len(rows)]
                multiply(examples, weights, z)
                z += bias
                r = residual(objective, z, y[rows])
                r *= rate / len(rows)
                multiply(np.ascontiguousarray(examples.T), r, gradient)  # simple kernels are slow on strided rows
                np.subtract(weights, gradient, out=weights)
                np.subtract(bias, r.sum(axis=0), out=bias)

        return epoch

    return prepare


step("numba-gemm", compiles=True, threads=True)(on_gemm("numba/full"))
