"""The trajectory that every implementation must follow, and how far rounding may take one from it.

With V the weights and bias together, A a batch's examples with a 1 behind each, and rho the rate over the batch's size, a step is
V' = V - rho A^T r(A V). In arithmetic of unit roundoff u it is computed with an error of at most

    4 gamma_{d+|B|+8} rho || |A|^T (|A| |V| + |y| + 1) || + u ||V'||

by the bounds of inner products (Higham, section 3.1); the factor of 4 allows for sums in another grouping, such as a logit
begun before the last update. An error in V is passed on by at most max(1, rho ||A||^2 - 1), since the link's slope is at most 1.
The sum of these over the steps is the bound, so it grows with their number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.accuracy import gamma
from minisgd.objectives import residual

Array = NDArray[Any]


def reference(
    x: Array,
    y: Array,
    weights: Array,
    bias: Array,
    objective: str,
    order: NDArray[np.int64],
    batch_size: int,
    rate: float,
    dtype: str,
) -> tuple[Array, Array, float]:
    """An epoch in float64, and the bound on an epoch in `dtype`.

    Parameters
    ----------
    x : (n, d) array
    y : (n, k) array
    weights : (d, k) array
        Where the epoch starts, as does the bias; neither is changed.
    bias : (k,) array
    objective : {"squared", "logistic"}
    order : (visits,) array of int64
        Rows of x and y, in the order of the visits.
    batch_size : int
    rate : float
    dtype : {"float32", "float64"}

    Returns
    -------
    weights : (d, k) array of float64
    bias : (k,) array of float64
    float
        The most that the Frobenius norm of the difference in both together may be.
    """
    a = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    v, y = np.vstack([weights, bias]).astype(np.float64), y.astype(np.float64)
    u, allowed = float(np.finfo(dtype).eps) / 2, 0.0
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        some, rho = a[rows], rate / len(rows)
        size = np.abs(some)
        rounding = gamma(a.shape[1] + len(rows) + 8, dtype) + gamma(a.shape[1] + len(rows) + 8, "float64")
        local = 4 * rounding * rho * float(np.linalg.norm(size.T @ (size @ np.abs(v) + np.abs(y[rows]) + 1)))
        v = v - rho * some.T @ residual(objective, some @ v, y[rows])
        growth = max(1.0, rho * float(np.linalg.norm(some)) ** 2 - 1)
        allowed = growth * allowed + local + u * float(np.linalg.norm(v))
    return v[:-1], v[-1], allowed
