"""Blocks until all is said or the time is up, by a clock and blocks that are made up."""

from __future__ import annotations

import random
import time
from math import log

import pytest
from runs_for_tests import make_record

from benchmarks.gate import judging, paired
from benchmarks.gate.verdict import Verdict
from benchmarks.harness import workers
from benchmarks.harness.records import Case

BASE, HEAD = paired.Side("base"), paired.Side("head")
CASES = [Case.model_validate({name: getattr(make_record(threads=n), name) for name in Case.model_fields}) for n in (1, 2)]


class Blocks:
    """Blocks of so many seconds, in which the head takes so many times as long, or fails."""

    def __init__(self, took_s, ratios):
        self.now, self.took_s, self.ratios, self.asked = 1000.0, took_s, ratios, []

    def block(self, sides, cases, order, advance, deadline):
        self.asked.append((list(cases), deadline))
        self.now += self.took_s
        failures = {case: "head: it hangs" for case in cases if self.ratios[case] is None}
        seconds = {
            case: {"base": [1.0] * 4, "head": [self.ratios[case] * order.uniform(0.999, 1.001)] * 4}
            for case in cases
            if case not in failures
        }
        return paired.Block(seconds, failures)


def decide(monkeypatch, blocks, budget_s, min_effect=0.03):
    monkeypatch.setattr(paired, "block", blocks.block)
    monkeypatch.setattr(time, "monotonic", lambda: blocks.now)
    trials = [judging.Trial(case) for case in blocks.ratios]
    judging.decide([(HEAD, trials)], BASE, min_effect, budget_s, random.Random(0))
    return trials


def test_blocks_go_on_until_each_has_its_verdict(monkeypatch):
    blocks = Blocks(10.0, {CASES[0]: 1.2, CASES[1]: 1.0})
    slower, same = decide(monkeypatch, blocks, 600.0)
    assert (slower.verdict, same.verdict) == (Verdict.SLOWER, Verdict.SAME)
    assert slower.logs == pytest.approx([log(1.2)] * len(slower.logs), abs=2e-3)
    assert len(blocks.asked) <= 20


@pytest.mark.parametrize(("budget_s", "most"), [(35.0, 3), (100.0, 10), (5.0, 1)])
def test_no_block_begins_that_would_not_fit(monkeypatch, budget_s, most):
    blocks = Blocks(10.0, {CASES[0]: 1.03})
    (trial,) = decide(monkeypatch, blocks, budget_s)
    assert len(blocks.asked) == most == len(trial.logs)


def test_what_is_decided_is_measured_no_more_and_what_failed_neither(monkeypatch):
    blocks = Blocks(10.0, {CASES[0]: None, CASES[1]: 1.03})
    failed, _ = decide(monkeypatch, blocks, 100.0)
    assert (failed.verdict, failed.failure) == (Verdict.FAILED, "head: it hangs")
    assert [len(cases) for cases, _ in blocks.asked] == [2, *[1] * 9]


def test_every_block_knows_when_the_time_is_up(monkeypatch):
    blocks = Blocks(10.0, {CASES[0]: 1.03})
    decide(monkeypatch, blocks, 50.0)
    assert {deadline for _, deadline in blocks.asked} == {1050.0}


@pytest.mark.parametrize(("left_s", "limit_s"), [(1000.0, paired.TIMEOUT_S), (100.0, 100.0), (-5.0, paired.LEAST_S)])
def test_a_call_that_hangs_is_given_up_when_the_time_is_up(monkeypatch, left_s, limit_s):
    limits = []

    def hang(self, function, timeout_s, *args):
        limits.append(timeout_s)
        raise workers.WorkerFailure(f"no answer within {timeout_s:g} s")

    monkeypatch.setattr(workers.Worker, "call", hang)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    found = paired.block([BASE, HEAD], CASES[:1], random.Random(0), deadline=left_s)
    assert limits == [limit_s]
    assert list(found.failures) == CASES[:1]
