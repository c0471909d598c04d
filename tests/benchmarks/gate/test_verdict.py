"""The verdict on simulated blocks, whose true ratio is known."""

from __future__ import annotations

from math import exp, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.gate import estimate, verdict
from benchmarks.gate.verdict import LOOKS, Verdict, judge, overall

EFFECT = 0.03
RUNS = 400

PROMISED = 0.005
"""How often the interval of a benchmark may miss the true ratio, as docs/methodology.md says."""


def heavy(random, size):
    return 0.02 * random.standard_t(2, size)


def drifting(random, size):
    """Noise that grows and shrinks with the hour, the same for neighbours; the side it hits is drawn for each block."""
    return 0.05 * np.abs(np.sin(np.arange(size) / 7)) * random.choice([-1, 1], size)


def correlated(random, size):
    """The machine's two states, each lasting some blocks, one of them four times as noisy."""
    states = np.repeat(random.choice([1.0, 4.0], size), 5)[:size]
    return 0.01 * states * random.standard_normal(size)


def outliers(random, size):
    """One block in ten hits one of the sides hard, either one as likely."""
    return 0.01 * random.standard_normal(size) + random.choice([0, 1.5], size, p=[0.9, 0.1]) * random.choice([-1, 1], size)


NOISES = [heavy, drifting, correlated, outliers]


def verdicts(noise, effect, runs=RUNS, longest=LOOKS[6]):
    """The verdict of each simulated benchmark at the first look that has one, which covers every time to stop."""
    random = np.random.default_rng(0)
    return [judge((noise(random, longest) + log1p(effect)).tolist(), EFFECT).verdict for _ in range(runs)]


@pytest.mark.parametrize("noise", NOISES)
def test_equal_sides_are_never_called_different_more_often_than_promised(noise):
    found = verdicts(noise, 0.0)
    assert sum(each in (Verdict.SLOWER, Verdict.FASTER) for each in found) <= PROMISED * RUNS


def test_an_interval_misses_no_more_often_than_promised_wherever_one_stops():
    """Where sides are equal, and any change matters, whatever is called different is an interval that misses."""
    random = np.random.default_rng(0)
    found = [judge(random.standard_normal(LOOKS[3]).tolist(), 0.0).verdict for _ in range(4000)]
    assert 0 < sum(each is not Verdict.INCONCLUSIVE for each in found) <= PROMISED * 4000


def test_all_looks_together_spend_no_more_than_promised(monkeypatch):
    spent = []

    def recorded(logs, confidence=1.0):
        spent.append(1 - confidence)
        return estimate.hodges_lehmann(logs, confidence)

    monkeypatch.setattr(verdict, "hodges_lehmann", recorded)
    undecided = np.random.default_rng(0).standard_normal(LOOKS[-1]).tolist()
    assert judge(undecided, EFFECT).verdict is Verdict.INCONCLUSIVE
    assert sum(each > 0 for each in spent) == len(LOOKS)
    assert sum(spent) <= PROMISED


def test_the_first_look_comes_as_soon_as_a_range_has_the_confidence_that_it_takes():
    """All of ten on one side of the truth, as with coins: of nine that happens too often."""
    assert 2 * 0.5 ** LOOKS[0] <= PROMISED / 2 < 2 * 0.5 ** (LOOKS[0] - 1)


def test_more_blocks_never_widen_an_interval():
    random = np.random.default_rng(5)
    for _ in range(20):
        logs = (0.02 + 0.05 * np.abs(np.sin(np.arange(LOOKS[3]) / 4)) * random.standard_normal(LOOKS[3])).tolist()
        found = [judge(logs[:look], EFFECT) for look in LOOKS[:4]]
        assert [each.low for each in found] == sorted(each.low for each in found)
        assert [each.high for each in found] == sorted((each.high for each in found), reverse=True)


@pytest.mark.parametrize("noise", NOISES)
def test_a_true_speed_up_is_never_called_slower_more_often_than_promised(noise):
    assert verdicts(noise, -0.02).count(Verdict.SLOWER) <= PROMISED * RUNS


@pytest.mark.parametrize(("noise", "effect", "share"), [(heavy, 0.05, 0.95), (outliers, 0.05, 0.95), (correlated, 0.10, 0.95)])
def test_a_slowdown_is_found(noise, effect, share):
    assert verdicts(noise, effect, longest=LOOKS[5]).count(Verdict.SLOWER) >= share * RUNS


def test_what_surely_changes_by_less_than_matters_is_no_change():
    random = np.random.default_rng(4)
    found = [judge((log1p(0.01) + 0.005 * random.standard_normal(40)).tolist(), EFFECT).verdict for _ in range(50)]
    assert set(found) == {Verdict.SAME}


def test_what_is_decided_stays_so():
    random = np.random.default_rng(3)
    logs = (log1p(0.08) + 0.02 * random.standard_normal(60)).tolist()
    first = next(count for count in range(1, 61) if judge(logs[:count], EFFECT).verdict is Verdict.SLOWER)
    assert first in LOOKS
    assert {judge(logs[:count], EFFECT) for count in range(first, 61)} == {judge(logs[:first], EFFECT)}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40))
def test_swapping_the_sides_swaps_the_verdict(logs):
    one, other = judge(logs, EFFECT), judge([-each for each in logs], EFFECT)
    swapped = {Verdict.SLOWER: Verdict.FASTER, Verdict.FASTER: Verdict.SLOWER}
    assert other.verdict is swapped.get(one.verdict, one.verdict)
    assert one.low <= one.high
    assert other.ratio == pytest.approx(1 / one.ratio)


def test_too_few_blocks_say_nothing():
    found = judge([1.0] * (LOOKS[0] - 1), EFFECT)
    assert (found.verdict, found.low, found.high) == (Verdict.INCONCLUSIVE, 0.0, float("inf"))
    assert found.ratio == pytest.approx(exp(1))


def test_the_suite_is_judged_on_the_blocks_that_all_share():
    assert overall([[0.1] * 9, [0.1] * 20]) is None
    found = overall([[0.1, 0.11] * 10, [-0.02, 0.0] * 6])
    assert found.blocks == 12
    assert found.verdict is Verdict.SLOWER
    assert found.ratio == pytest.approx(exp(0.0475), rel=1e-3)
    assert overall([[0.1] * 10 + [-5.0] * 10, [0.0] * 10]).ratio == pytest.approx(exp(0.05))  # in the order they were measured
