"""The operating curve, from made-up rounds."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from runs_for_tests import MACHINE, make_record

from benchmarks.gate import paired
from benchmarks.gate.calibration import SLOWDOWNS, Calibration, Comparison, Round
from benchmarks.gate.outcome import Row
from benchmarks.gate.paired import Side
from benchmarks.gate.verdict import Verdict
from benchmarks.harness.devices import Cpu
from benchmarks.views import operating


def made(load="idle", failure=None):
    """A round in which every slowdown shows as just that, with hardly any noise."""
    rows = []
    for slowdown in SLOWDOWNS:
        logs = [slowdown + (-1) ** place * 1e-4 for place in range(10)]
        row = Row(case=make_record(), verdict=Verdict.INCONCLUSIVE, logs=logs, failure=failure)
        rows.append(Comparison(slowdown=slowdown, row=row))
    return Round(
        created=datetime(2026, 1, 1, tzinfo=UTC), commit="c" * 40, min_effect=0.03, budget_s=600, seconds=60, load=load,
        machine=MACHINE, comparisons=rows,
    )  # fmt: skip


def test_verdicts_are_those_of_today_s_rule():
    found = Calibration(rounds=[made(), made()])
    assert operating.share(operating.comparisons(found, "idle", 0.0), Verdict.SAME)[0] == 2
    assert operating.share(operating.comparisons(found, "idle", 0.05), Verdict.SLOWER)[0] == 2
    assert operating.share(operating.comparisons(found, "idle", 0.02), Verdict.SLOWER)[0] == 0


def test_the_page_has_a_table_for_each_load_and_counts_false_alarms_over_both():
    text = operating.markdown(Calibration(rounds=[made(), made("hog")]), "gate.svg")
    assert "0 false alarms in 2 comparisons" in text
    assert text.count("| true slowdown |") == 2
    assert "| 5 % | 1 | 1 |" in text
    assert "0 false alarms in 2 comparisons" in text


def test_what_failed_is_not_counted():
    assert not operating.comparisons(Calibration(rounds=[made(failure="died")]), "idle", 0.0)


def test_the_picture_shows_both_loads():
    figure = operating.picture(Calibration(rounds=[made(), made("hog")]))
    assert [axes.get_title() for axes in figure.axes] == list(operating.LOADS.values())


def test_extra_work_is_done_and_takes_its_time(monkeypatch):
    class Work:
        def calls(self, count):
            return [partial(time.sleep, 1e-3)] * count

    monkeypatch.setattr(paired.Prepared, "current", paired.Prepared(Work(), Cpu(), 1, ExitStack()))
    start = time.perf_counter()
    found = paired.sample(10, Side("slow", extra=2.0).extra)
    assert 3e-3 <= found <= (time.perf_counter() - start) / 10
