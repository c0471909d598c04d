"""The pseudo-code in plain Python: one example, one weight at a time."""

from __future__ import annotations

from math import exp

import numpy as np
from numpy.typing import NDArray

from minisgd.steps import Array, Epoch, step


@step("python")
def python(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """Three nested loops over the batch, the outputs and the weights."""
    d, k = x.shape[1], y.shape[1]
    examples, targets = x.tolist(), y.tolist()

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size].tolist()
            gradient = [[0.0] * k for _ in range(d)]
            gradient_bias = [0.0] * k
            w, b = weights.tolist(), bias.tolist()
            for row in rows:
                for j in range(k):
                    z = b[j]
                    for i in range(d):
                        z += examples[row][i] * w[i][j]
                    prediction = z if objective == "squared" else sigmoid(z)
                    r = prediction - targets[row][j]
                    for i in range(d):
                        gradient[i][j] += examples[row][i] * r
                    gradient_bias[j] += r
            for j in range(k):
                for i in range(d):
                    weights[i, j] = w[i][j] - rate / len(rows) * gradient[i][j]
                bias[j] = b[j] - rate / len(rows) * gradient_bias[j]

    return epoch


def sigmoid(z: float) -> float:
    """1 / (1 + exp(-z)), without overflow."""
    e = exp(-abs(z))
    return (1 if z >= 0 else e) / (1 + e)
