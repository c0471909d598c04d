"""What may be said of a benchmark after so many blocks, whenever one stops.

The datum of a block is log(head / base). Looking again and again at growing data finds something by chance sooner or later, so
looks are few, at numbers of blocks fixed in advance, and share the chance of being wrong: the j-th spends alpha / (j (j + 1)),
which adds up to alpha over all looks there may ever be. At each the signed-rank interval is taken, and intersected with those
before; all hold the true value at once with confidence 1 - alpha, wherever one stops.

Slower is what surely takes more time, and by the estimate at least as much more as matters. To ask that the interval as a whole
lie beyond what matters would be surer still, and blind to what is a little more than that.

The interval asks for data that are symmetric about their centre. Between equal sides that holds by construction, whatever the
noise: which side starts is drawn anew for each block, so that either sign of its datum is as likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, log1p

from benchmarks.gate.estimate import hodges_lehmann

ALPHA = 0.005
"""Chance that a benchmark's interval ever misses the true ratio."""

LOOKS = (10, 14, 20, 28, 39, 55, 77, 108, 151)
"""Numbers of blocks at which a verdict may fall: ten are the fewest whose range has that confidence."""


class Verdict(StrEnum):
    """What the interval of the ratio says, beside the least change that matters."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "no change"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


@dataclass(frozen=True)
class Judgement:
    """A verdict with its grounds.

    Parameters
    ----------
    verdict : Verdict
    ratio, low, high : float
        Seconds of head over seconds of base, and the interval that holds it; without bounds before the first look.
    blocks : int
        Data used: for a verdict, those up to the look at which it fell.
    """

    verdict: Verdict
    ratio: float
    low: float
    high: float
    blocks: int


def judge(logs: Sequence[float], min_effect: float) -> Judgement:
    """The verdict on a benchmark's blocks so far: slower, faster or no change at the first look that shows it.

    Parameters
    ----------
    logs : sequence of float
        log(head / base) of each block, in measured order; at least one.
    min_effect : float
        The least change that matters: 0.03 is 3 %.

    Examples
    --------
    >>> judge([0.10, 0.09, 0.11, 0.10, 0.08, 0.12, 0.10, 0.09, 0.11, 0.10], 0.03).verdict
    <Verdict.SLOWER: 'slower'>
    >>> judge([0.001, -0.002] * 5, 0.03).verdict
    <Verdict.SAME: 'no change'>
    """
    matters, low, high = log1p(min_effect), -inf, inf
    for number, look in enumerate((each for each in LOOKS if each <= len(logs)), start=1):
        ratio, lower, upper = hodges_lehmann(logs[:look], 1 - ALPHA / (number * (number + 1)))
        low, high = max(low, lower), min(high, upper)
        verdict = _reading(ratio, low, high, matters)
        if verdict is not Verdict.INCONCLUSIVE:
            return Judgement(verdict, exp(ratio), exp(low), exp(high), look)
    return Judgement(Verdict.INCONCLUSIVE, exp(hodges_lehmann(logs)[0]), exp(low), exp(high) if high < inf else inf, len(logs))


def overall(logs: Sequence[Sequence[float]]) -> Judgement | None:
    """The geometric mean over benchmarks, from the blocks in which all were measured; None if those are too few."""
    together = min((len(each) for each in logs), default=0)
    if together < LOOKS[0]:
        return None
    means = [sum(block) / len(block) for block in zip(*(each[:together] for each in logs), strict=True)]
    ratio, low, high = hodges_lehmann(means, 1 - ALPHA)
    return Judgement(_reading(ratio, low, high, 0.0), exp(ratio), exp(low), exp(high), together)


def _reading(ratio: float, low: float, high: float, matters: float) -> Verdict:
    if low > 0 and ratio >= matters:
        return Verdict.SLOWER
    if high < 0 and ratio <= -matters:
        return Verdict.FASTER
    if -matters <= low and high <= matters:
        return Verdict.SAME
    return Verdict.INCONCLUSIVE
