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

from kernels.caching import cached

STEP = np.uint64(0x9E3779B97F4A7C15)
MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
HALF = np.uint64(32)


@cached()
def below(state: Any, bound: int) -> Any:
    """A number from 0 to `bound` - 1, uniform but for a bias of at most bound / 2^32 (Lemire 2019, without the rejection)."""
    z = (state ^ (state >> np.uint64(30))) * MIX[0]
    z = (z ^ (z >> np.uint64(27))) * MIX[1]
    z = z ^ (z >> np.uint64(31))
    return np.int64(((z >> HALF) * np.uint64(bound)) >> HALF)


@cached()
def shuffle(order: Any, state: Any) -> Any:
    """Shuffle in place; the state for the next time."""
    for i in range(len(order) - 1, 0, -1):
        state += STEP
        j = below(state, i + 1)
        order[i], order[j] = order[j], order[i]
    return state


@cached()
def draw(order: Any, state: Any) -> Any:
    """Fill with draws with replacement; the state for the next time."""
    for i in range(len(order)):
        state += STEP
        order[i] = below(state, len(order))
    return state


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
    order, state = np.arange(n), np.uint64(seed)
    while True:
        state = np.uint64(draw(order, state) if replacement else shuffle(order, state))
        yield order
