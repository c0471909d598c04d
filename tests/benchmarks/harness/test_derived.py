"""What follows from seconds, and what a record of an older version shows in its place."""

from __future__ import annotations

import pytest
from runs_for_tests import CEILINGS, make_record

from benchmarks.harness import derived
from benchmarks.harness.records import Case, Record

CASE = Case(**{name: getattr(make_record(), name) for name in Case.model_fields})
EPOCH = CASE.model_copy(
    update={"workload": "sgd", "kernel": "numpy", "rung": "step", "shape": {"n": 1500, "d": 5, "k": 1, "batch": 10}}
)
FLOPS = 2 * 256**3


def test_a_rate_is_the_inverse_of_its_seconds_and_so_is_its_interval():
    found = derived.speed(CASE, (1e-3, 0.8e-3, 1.25e-3))
    assert (found["median_s"], found["low_s"], found["high_s"]) == (1e-3, 0.8e-3, 1.25e-3)
    rates = [FLOPS / seconds / 1e9 for seconds in (1e-3, 1.25e-3, 0.8e-3)]
    assert [found[name] for name in ("gflops", "gflops_low", "gflops_high")] == pytest.approx(rates)
    assert found["noisy"]
    assert (found["examples_s"], found["peak_gflops"], found["percent_of_peak"]) == (None, None, None)


def test_a_rate_is_held_against_the_peak_of_its_threads():
    found = derived.speed(CASE, (FLOPS / 50e9,) * 3, CEILINGS)
    assert (found["peak_gflops"], found["percent_of_peak"], found["beyond_peak"]) == (100.0, pytest.approx(50), False)
    faster = derived.speed(CASE, (FLOPS / 104e9,) * 3, CEILINGS)
    assert (faster["peak_gflops"], faster["percent_of_peak"], faster["beyond_peak"]) == (100.0, None, True)


def test_a_low_end_that_was_rounded_to_nothing_is_the_median():
    found = derived.speed(CASE, (1e-3, 0.0, 1.01e-3))
    assert (found["low_s"], found["noisy"]) == (1e-3, False)


def test_an_epoch_has_examples_a_second():
    assert derived.speed(EPOCH, (1e-3,) * 3)["examples_s"] == pytest.approx(1.5e6)


def test_the_fields_are_those_of_a_record():
    record = Record(**dict(CASE), **derived.costs(CASE), **derived.speed(CASE, (1e-3, 0.8e-3, 1.25e-3), CEILINGS))
    assert record.interval_s == (0.8e-3, 1.25e-3)
    assert record.peak == 100.0


def test_an_older_record_shows_the_interval_and_the_peak_that_its_rates_imply():
    older = make_record()
    assert older.low_s is older.peak_gflops is None
    assert older.interval_s == pytest.approx((6.7e-4 * 50 / 51, 6.7e-4 * 50 / 49))
    assert older.peak == pytest.approx(100)
    bare = make_record(gflops_low=None, gflops_high=None, percent_of_peak=None)
    assert bare.interval_s == pytest.approx((6.7e-4, 6.7e-4))
    assert bare.peak is None
