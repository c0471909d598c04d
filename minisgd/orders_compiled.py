"""Visiting orders in compiled code, which draws them in less time than the fused epoch takes; see `minisgd.orders`."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.jit.caching import cached

STEP = np.uint64(0x9E3779B97F4A7C15)
MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
HALF = np.uint64(32)


DRAWN = 512
"""Numbers at once: none waits for another, so that they come several to a vector."""


@cached()
def below(state: Any, bound: int) -> Any:
    """A number from 0 to `bound` - 1, uniform but for a bias of at most bound / 2^32 (Lemire 2019, without the rejection)."""
    z = (state ^ (state >> np.uint64(30))) * MIX[0]
    z = (z ^ (z >> np.uint64(27))) * MIX[1]
    z = z ^ (z >> np.uint64(31))
    return ((z >> HALF) * np.uint64(bound)) >> HALF


@cached()
def shuffle(order: Any, state: Any) -> None:
    """Shuffle in place, and move the state, of one number, on."""
    drawn, last, start = np.empty(DRAWN, np.uint64), len(order) - 1, state[0]
    while last > 0:
        count = min(DRAWN, last)
        for k in range(count):
            drawn[k] = below(start + np.uint64(k + 1) * STEP, last + 1 - k)
        start += np.uint64(count) * STEP
        for k in range(count):
            i, j = np.uint64(last - k), drawn[np.uint64(k)]
            order[i], order[j] = order[j], order[i]
        last -= count
    state[0] = start


@cached()
def draw(order: Any, state: Any) -> None:
    """Fill with draws with replacement, and move the state on."""
    for i in range(len(order)):
        order[i] = below(state[0] + np.uint64(i + 1) * STEP, len(order))
    state[0] += np.uint64(len(order)) * STEP
