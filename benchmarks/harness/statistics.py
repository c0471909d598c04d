"""The median of rounds and its interval.

Samples within a round are correlated: they share a process, the placement of its memory, and the state of the machine in that
second. So the unit of replication is the round.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from minisgd.common.intervals import median_interval

NOISY = 0.05
"""A record is noisy if its interval extends further than this from the median, in proportion."""


def summary(rounds: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Median of the rounds' medians, and its interval; see `minisgd.common.intervals`.

    Examples
    --------
    >>> summary([[3.0], [1.0], [2.0], [5.0], [4.0], [6.0]])
    (3.5, 1.0, 6.0)
    """
    return median_interval([median(samples) for samples in rounds])


def states(rounds: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Medians of two states that the rounds fall into, or None if they do not.

    A state is a cluster of at least two rounds. The gap between two states exceeds `NOISY`, twice the range of either, and twice
    the interquartile range within a round, since a change within a round does not come from the memory layout.

    Examples
    --------
    >>> states([[each] * 4 for each in (5.0, 7.0, 5.1, 5.0, 7.1, 5.0)])
    (5.0, 7.05)
    >>> states([[each] * 4 for each in (5.0, 5.1, 5.2, 5.3, 5.4, 5.5)])
    """
    medians = sorted(median(samples) for samples in rounds)
    if len(medians) < 4 or min(map(len, rounds)) < 4:
        return None
    place = max(range(2, len(medians) - 1), key=lambda each: medians[each] - medians[each - 1])
    low, high = medians[:place], medians[place:]
    gap = high[0] - low[-1]
    within = median(np.subtract(*np.quantile(samples, [0.75, 0.25])) for samples in rounds)
    apart = gap > max(NOISY * low[-1], 2 * (low[-1] - low[0]), 2 * (high[-1] - high[0]), 2 * within)
    return (median(low), median(high)) if apart else None


def is_noisy(middle: float, low: float, high: float) -> bool:
    """Whether an interval extends further than `NOISY` from its median, in proportion."""
    return max(high / middle, middle / low) > 1 + NOISY if low > 0 else True
