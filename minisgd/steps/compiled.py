"""What the compiled steps share: how they are compiled, and the link from a logit to a prediction."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.jit.caching import cached

Array = NDArray[Any]

LANES = 16
"""Of the vectors that stream over rows: a cache line of float32."""

compiled = partial(cached, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")


@compiled()
def require_visits(order: Array, n: int) -> None:
    """Raise an IndexError unless all visits are of examples 0 to n - 1: compiled loads would read whatever lies there.

    One pass in SIMD lanes: of a visit out of range either itself or its distance from the last example has the sign bit set.
    """
    signs = 0
    for t in range(len(order)):  # numba's iterator would not be vectorised
        signs |= order[t] | (n - 1 - order[t])
    if signs < 0:
        raise IndexError("order: expected visits of examples 0 to n - 1, got one out of range")


@compiled()
def link(z: float, one: float, logistic: bool) -> float:
    """Prediction from a logit, as `minisgd.objectives.sigmoid`; `one` is 1 in z's own dtype, which numba would widen."""
    if not logistic:
        return z
    e = np.exp(-abs(z))
    return (one if z >= 0 else e) / (one + e)
