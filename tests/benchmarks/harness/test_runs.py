"""Rounds get processes of their own where those start fast, and memory laid out anew."""

from __future__ import annotations

import random

import pytest
from runs_for_tests import CEILINGS, make_record, make_run

from benchmarks.harness import runs, timing
from benchmarks.harness.host import layout, machine
from benchmarks.harness.records import Case
from benchmarks.harness.workers import WorkerFailure
from benchmarks.harness.workloads.gemm import Check
from minisgd.common.cli import UsageError

FLOPS = 2 * 256**3
CASE = Case.model_validate({name: getattr(make_record(), name) for name in Case.model_fields})


class Started:
    """A worker that only counts its starts, which take as long as the clock is told."""

    clock, takes, starts = 0.0, 0.0, 0

    def __init__(self, home=None):
        self.running = False

    def call(self, function, timeout_s, *args):
        self.running = True
        Started.starts += 1
        Started.clock += Started.takes

    def close(self):
        self.running = False


@pytest.mark.parametrize(("takes", "starts"), [(0.4, 3), (2.0, 1)])
def test_a_round_has_a_process_of_its_own_where_that_starts_fast(takes, starts, monkeypatch):
    monkeypatch.setattr(runs, "Worker", Started)
    monkeypatch.setattr(runs.time, "monotonic", lambda: Started.clock)
    monkeypatch.setattr(Started, "takes", takes)
    monkeypatch.setattr(Started, "starts", 0)
    workers = runs.Workers(random.Random(0))
    for _ in range(3):
        workers.renew()
        assert workers.of(CASE) is workers.of(CASE)
    assert Started.starts == starts


class Slow(Started):
    """A worker of which every round of a case takes four seconds."""

    def call(self, function, timeout_s, *args):
        self.running = True
        if function is timing.measure:
            Started.clock += 4.0
        return {machine.describe: make_run().machine, timing.measure: slices([1e-3])[0]}.get(function)


@pytest.mark.parametrize(("case_s", "rounds"), [(3.0, 1), (5.0, 2), (100.0, 6)])
def test_a_case_that_takes_long_has_fewer_rounds(case_s, rounds, monkeypatch):
    monkeypatch.setattr(runs, "Worker", Slow)
    monkeypatch.setattr(runs.time, "monotonic", lambda: Started.clock)
    (record,) = runs.execute([CASE], budget_s=0.1, timeout_s=9, case_s=case_s).records
    assert record.samples_per_round == [1] * rounds
    assert record.noisy == (rounds == 1)


def test_memory_is_perturbed_by_the_seed_and_by_little(monkeypatch):
    def kept(seed):
        monkeypatch.setattr(layout, "_kept", [])
        layout.perturb(seed)
        return [len(block) for block in layout._kept]

    assert kept(1) == kept(1) != kept(2)
    assert max(kept(1)) <= layout.LARGEST
    assert sum(kept(1)) < 8 << 20


def slices(*rounds):
    return [timing.Slice(samples, 1, 0.0, Check(1e-7, 1e-5, None), {}) for samples in rounds]


def test_a_record_beyond_the_peak_has_no_percentage():
    def record(gflops):
        return runs.record(CASE, slices(*[[FLOPS / gflops / 1e9] * 4] * 6), None, CEILINGS)

    assert record(50).percent_of_peak == pytest.approx(50)
    assert (record(102).percent_of_peak, record(102).beyond_peak) == (pytest.approx(102), False)
    assert (record(104).percent_of_peak, record(104).beyond_peak) == (None, True)


def test_a_record_names_two_states():
    low, high = [5.0e-4] * 4, [7.0e-4] * 4
    assert runs.record(CASE, slices(low, high, low, high, low, low), None, None).states_s == pytest.approx((5e-4, 7e-4))
    assert runs.record(CASE, slices(low, low, low, high, low, low), None, None).states_s is None


class Dying:
    """A worker that answers so many calls, and is then killed."""

    def __init__(self, answers):
        self.answers = list(answers)

    def call(self, function, timeout_s, *args):
        if not self.answers:
            raise WorkerFailure("the process died of SIGKILL")
        return self.answers.pop(0)


def test_a_worker_that_is_killed_beside_the_cases_costs_a_round_s_ceilings_and_no_more():
    assert runs.raised(Dying([CEILINGS]), None, "cpu", [1]) == CEILINGS
    assert runs.raised(Dying([]), CEILINGS, "cpu", [1]) == CEILINGS
    assert runs.raised(Dying([]), None, "cpu", [1]) is None


def test_a_machine_that_cannot_be_described_is_one_line():
    with pytest.raises(UsageError, match="this machine cannot be described: the process died of SIGKILL"):
        runs.described(Dying([]))
