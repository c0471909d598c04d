"""The median of rounds and its interval, exact for any distribution.

Samples within a round are correlated: they share a process, the placement of its memory, and the machine's mood of that
second. So the unit of replication is the round. The interval is that of order statistics: of R independent rounds the
k-th smallest and k-th largest medians hold the true one with probability 1 - 2 P(Binomial(R, 1/2) < k) (David and
Nagaraja, "Order Statistics", section 7.1). Six rounds give 97 % from the smallest to the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
from scipy.special import bdtr

CONFIDENCE = 0.95

NOISY = 0.05
"""A record whose interval reaches further than this from its median is marked."""


def summary(rounds: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Median of the rounds' medians, and its interval.

    With fewer than six rounds the interval is the whole range, and holds the median less often than `CONFIDENCE`.

    Examples
    --------
    >>> summary([[3.0], [1.0], [2.0], [5.0], [4.0], [6.0]])
    (3.5, 1.0, 6.0)
    """
    medians = sorted(median(samples) for samples in rounds)
    count = len(medians)
    missed = 2 * bdtr(np.arange(count), count, 0.5)  # the chance that the true median lies outside the k-th of either end
    outside = max(0, int(np.count_nonzero(missed <= 1 - CONFIDENCE)) - 1)
    return median(medians), medians[outside], medians[count - 1 - outside]


def is_noisy(middle: float, low: float, high: float) -> bool:
    """Whether an interval reaches further than `NOISY` from its median, in proportion."""
    return max(high / middle, middle / low) > 1 + NOISY if low > 0 else True
