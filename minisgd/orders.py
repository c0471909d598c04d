"""The order in which an epoch visits the examples, drawn in less time than the epoch takes.

numpy's permutation takes some 12 ns an example, several times the fused epoch. This is the same Fisher-Yates shuffle with a
generator whose numbers do not wait for each other: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
Generators", OOPSLA 2014), a counter and a mixing function.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def orders(n: int, seed: int, replacement: bool = False) -> Iterator[NDArray[np.int64]]:
    """Visiting orders of the epochs: a fresh permutation each, or n draws with replacement.

    Parameters
    ----------
    n : int
        Number of examples.
    seed : int
        The same seed gives the same orders.
    replacement : bool

    Yields
    ------
    (n,) array of int64
        The same array each time, overwritten.

    Examples
    --------
    >>> sorted(next(orders(5, seed=0)).tolist())
    [0, 1, 2, 3, 4]
    """
    order, state = np.arange(n), np.array([seed], np.uint64)
    renew = draw if replacement else shuffle
    while True:
        renew(order, state)
        yield order
