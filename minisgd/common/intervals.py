"""The median of repeats and its interval, exact for any distribution.

The k-th smallest and the k-th largest of R independent repeats enclose the true median with probability
1 - 2 P(Binomial(R, 1/2) < k) (David and Nagaraja, "Order Statistics", section 7.1). The range of six repeats has 97 %; that of
nine without the smallest and the largest has 96 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
from scipy.special import bdtr

Interval = tuple[float, float, float]
"""Median, low and high end."""

CONFIDENCE = 0.95


def median_interval(repeats: Sequence[float]) -> Interval:
    """The median and its interval.

    With fewer than six repeats the interval is their whole range, and its confidence is below `CONFIDENCE`.

    Examples
    --------
    >>> median_interval([3.0, 1.0, 2.0, 5.0, 4.0, 6.0])
    (3.5, 1.0, 6.0)
    """
    ordered = sorted(repeats)
    count = len(ordered)
    missed = 2 * bdtr(np.arange(count), count, 0.5)  # the chance that the true median lies outside the k-th of either end
    outside = max(0, int(np.count_nonzero(missed <= 1 - CONFIDENCE)) - 1)
    return median(ordered), ordered[outside], ordered[count - 1 - outside]


def ratio_interval(these: Sequence[float], those: Sequence[float]) -> Interval:
    """The median ratio and its interval, for two things measured in the same rounds, which noise affects alike.

    Examples
    --------
    >>> ratio_interval([2.0, 6.0, 4.0], [1.0, 3.0, 1.0])
    (2.0, 2.0, 4.0)
    """
    return median_interval([this / that for this, that in zip(these, those, strict=True)])
