"""A step in numpy: two matrix products, and some ten calls of a microsecond each."""

from __future__ import annotations

from minisgd.objectives import gradient
from minisgd.steps import Array, step, stepwise


def one(weights: Array, bias: Array, x: Array, y: Array, rate: float, objective: str) -> None:
    """W -= rate dL/dW and b -= rate dL/db, in place."""
    d_weights, d_bias = gradient(objective, weights, bias, x, y)
    weights -= rate * d_weights
    bias -= rate * d_bias


step("numpy", threads=True)(stepwise(one))
