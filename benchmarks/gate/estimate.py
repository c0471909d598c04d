"""Estimates with their intervals: Hodges-Lehmann for a difference, from one figure a block, and Wilson for a share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt
from statistics import median

CONFIDENCE = 0.95

FEWEST = 6
"""Values that give an interval of that confidence: all of fewer lie on one side of the truth more often, 2 in 2^n times."""


def hodges_lehmann(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """The centre of a symmetric distribution, and an interval that holds it with at least that confidence.

    The estimate is the median of the means of all pairs; the interval is what the signed-rank test does not reject, by that
    test's exact distribution. With fewer than `FEWEST` values no interval has 95 %: it is the whole range.

    Examples
    --------
    >>> hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    (3.5, 1.0, 6.0)

    Source: Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods", sections 3.2 and 3.3.
    """
    means = sorted((values[i] + values[j]) / 2 for i in range(len(values)) for j in range(i, len(values)))
    outside = _outside(len(values), confidence)
    return median(means), means[outside], means[-1 - outside]


def wilson(found: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """A 95 % interval of a share.

    Examples
    --------
    >>> [round(each, 3) for each in wilson(0, 300)]
    [0.0, 0.013]

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not of:
        return 0.0, 1.0
    share, weight = found / of, z * z / of
    middle, reach = share + weight / 2, z * sqrt(share * (1 - share) / of + weight / (4 * of))
    return max(0.0, (middle - reach) / (1 + weight)), min(1.0, (middle + reach) / (1 + weight))


@cache
def _outside(count: int, confidence: float) -> int:
    """How many pairs' means lie outside at either end."""
    ways = [1]  # ways[w]: subsets of the ranks so far whose sum is w
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for total, number in enumerate(ways):
            longer[total + rank] += number
        ways = longer
    outside, chance = -1, 0.0
    for number in ways:
        chance += 2 * number / 2**count
        if chance > 1 - confidence:
            break
        outside += 1
    return max(0, outside)
