from __future__ import annotations

from benchmarks.harness.statistics import is_noisy, summary


def test_a_round_counts_once_however_many_samples_it_has():
    assert summary([[1.0] * 1000, [2.0], [3.0]]) == (2.0, 1.0, 3.0)


def test_the_interval_of_eight_rounds_is_their_range():
    """Without the outermost two it would hold the median in 93 % only."""
    assert summary([[float(each)] for each in range(8)]) == (3.5, 0.0, 7.0)


def test_noisy_means_beyond_five_percent_on_either_side():
    assert not is_noisy(1.0, 0.96, 1.04)
    assert is_noisy(1.0, 0.94, 1.0)
    assert is_noisy(1.0, 1.0, 1.06)
