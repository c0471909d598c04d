"""How large a difference is, from one figure a block: the Hodges-Lehmann estimate and its exact interval."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
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
