from __future__ import annotations

from math import comb

import numpy as np
import pytest

from minisgd.common.intervals import median_interval, ratio_interval


def test_six_repeats_reach_from_the_smallest_to_the_largest():
    assert median_interval([5, 2, 9, 1, 7, 3]) == (4.0, 1, 9)


def test_more_repeats_leave_the_extremes_out():
    # P(Binomial(9, 1/2) < 2) is 2.0 %, P(Binomial(12, 1/2) < 3) 1.9 %.
    assert median_interval(range(1, 10)) == (5, 2, 8)
    assert median_interval(range(1, 13)) == (6.5, 3, 10)


def chance_of_missing(repeats, outside):
    """That the median lies beyond so many and one of the smallest, or of the largest, counted out as with coins."""
    return 2 * sum(comb(repeats, fewer) for fewer in range(outside + 1)) / 2**repeats


@pytest.mark.parametrize("repeats", range(6, 31))
def test_the_interval_leaves_out_as_many_as_95_percent_allow(repeats):
    _, low, high = median_interval(range(repeats))
    assert high == repeats - 1 - low
    assert chance_of_missing(repeats, low) <= 0.05 < chance_of_missing(repeats, low + 1)


def test_one_repeat_is_its_own_interval():
    assert median_interval([3.0]) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize("repeats", [6, 9, 12, 20])
@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy"])
def test_the_interval_holds_the_median_as_often_as_it_says(repeats, draw):
    random = np.random.default_rng(3)
    truth = 1.0 if draw == "lognormal" else 0.0
    intervals = [median_interval(getattr(random, draw)(size=repeats).tolist())[1:] for _ in range(2000)]
    assert sum(low <= truth <= high for low, high in intervals) / 2000 >= 0.935  # 95 % less three standard errors


def test_ratios_are_of_as_many_repeats_of_either():
    with pytest.raises(ValueError, match="shorter"):
        ratio_interval([1.0, 2.0], [1.0])
