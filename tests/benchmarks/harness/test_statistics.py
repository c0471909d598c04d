from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness.statistics import is_noisy, summary


def test_six_rounds_reach_from_the_smallest_to_the_largest():
    assert summary([[float(x)] for x in (5, 2, 9, 1, 7, 3)]) == (4.0, 1.0, 9.0)


def test_more_rounds_leave_the_extremes_out():
    # P(Binomial(12, 1/2) < 3) is 1.9 %: the third smallest and the third largest of twelve.
    assert summary([[float(x)] for x in range(1, 13)]) == (6.5, 3.0, 10.0)


def test_a_round_counts_once_however_many_samples_it_has():
    assert summary([[1.0] * 1000, [2.0], [3.0]])[0] == 2.0


@pytest.mark.parametrize("rounds", [6, 9, 12, 20])
@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy"])
def test_the_interval_holds_the_median_as_often_as_it_says(rounds, draw):
    random = np.random.default_rng(3)
    truth = 1.0 if draw == "lognormal" else 0.0
    intervals = [summary(getattr(random, draw)(size=(rounds, 1)).tolist())[1:] for _ in range(2000)]
    assert sum(low <= truth <= high for low, high in intervals) / 2000 >= 0.935  # 95 % less three standard errors


def test_noisy_means_beyond_five_percent_on_either_side():
    assert not is_noisy(1.0, 0.96, 1.04)
    assert is_noisy(1.0, 0.94, 1.0)
    assert is_noisy(1.0, 1.0, 1.06)
