"""Visiting orders without numba, the same as `minisgd.orders_compiled` draws: numbers by numpy, swaps in the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# An array: numpy warns of a number that overflows, as these are meant to.
STEP = np.array([0x9E3779B97F4A7C15], np.uint64)
MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def below(states: NDArray[np.uint64], bounds: Any) -> NDArray[np.uint64]:
    """For each state a number from 0 to its bound - 1, uniform but for a bias of at most bound / 2^32."""
    z = (states ^ (states >> np.uint64(30))) * MIX[0]
    z = (z ^ (z >> np.uint64(27))) * MIX[1]
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(32)) * np.asarray(bounds, np.uint64)) >> np.uint64(32)


def shuffle(order: NDArray[np.int64], state: NDArray[np.uint64]) -> None:
    """Shuffle in place, and move the state, of one number, on."""
    last = max(0, len(order) - 1)
    turns = np.arange(1, last + 1, dtype=np.uint64)
    drawn = below(state + turns * STEP, np.arange(last + 1, 1, -1)).tolist()
    state += np.uint64(last) * STEP
    visits = order.tolist()
    for i, j in zip(range(last, 0, -1), drawn, strict=True):
        visits[i], visits[j] = visits[j], visits[i]
    order[:] = visits


def draw(order: NDArray[np.int64], state: NDArray[np.uint64]) -> None:
    """Fill with draws with replacement, and move the state on."""
    order[:] = below(state + np.arange(1, len(order) + 1, dtype=np.uint64) * STEP, len(order))
    state += np.uint64(len(order)) * STEP
