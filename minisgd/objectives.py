"""Losses of a linear model, and their gradients.

Both losses have gradients of one form: with the residual r (n, k), which is the prediction less the target, dL/dW = X^T r / n and
dL/db = sum r / n. Only the link from the logits z = X W + b to the prediction differs: z itself, or its sigmoid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

OBJECTIVES = ("squared", "logistic")


def loss(objective: str, weights: Array, bias: Array, x: Array, y: Array) -> float:
    """Mean loss of an example, in float64.

    Parameters
    ----------
    objective : {"squared", "logistic"}
        Half the squared residual, or the cross-entropy of a Bernoulli variable with logit z; summed over the k outputs.
    weights : (d, k) array
    bias : (k,) array
    x : (n, d) array
    y : (n, k) array
        For logistic, labels 0 and 1.

    Examples
    --------
    >>> w, b, x, y = (np.array(v) for v in ([[0.23]], [0.1], [[1.23]], [[1.0]]))
    >>> round(loss("logistic", w, b, x, y), 4)
    0.5199
    """
    weights, bias, x, y = (each.astype(np.float64) for each in (weights, bias, x, y))
    z = x @ weights + bias
    if objective == "squared":
        return float(0.5 * np.square(z - y).sum() / len(x))
    # log(1 + exp(z)) - z y, by logaddexp, which overflows for no z
    return float((np.logaddexp(0, z) - z * y).sum() / len(x))


def gradient(objective: str, weights: Array, bias: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Gradient of the mean loss with respect to weights (d, k) and bias (k,), in their dtype; arguments as for `loss`.

    Examples
    --------
    >>> w, b, x, y = (np.array(v) for v in ([[0.23]], [0.1], [[1.23]], [[1.0]]))
    >>> [float(np.round(g.item(), 4)) for g in gradient("logistic", w, b, x, y)]
    [-0.4987, -0.4054]
    """
    r = residual(objective, x @ weights + bias, y)
    return x.T @ r / len(x), r.sum(axis=0) / len(x)


def residual(objective: str, z: Array, y: Array) -> Array:
    """Prediction less target, from logits `z` and targets `y`, both (n, k)."""
    return (z if objective == "squared" else sigmoid(z)) - y


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow for any z: exp is taken of numbers below zero alone."""
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e), z.dtype)
