"""The order in which an epoch visits the examples, drawn in less time than the epoch takes.

numpy's permutation takes some 12 ns an example, several times the fused epoch. This is the same Fisher-Yates shuffle with a
generator whose numbers do not wait for each other: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
Generators", OOPSLA 2014), a counter and a mixing function. Compiled where numba is installed; the same orders where it is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

try:
    from minisgd.orders_compiled import draw, shuffle
except ImportError:  # numba is not there, as in a framework's environment, or is told to compile nothing
    from minisgd.orders_plain import draw, shuffle


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
