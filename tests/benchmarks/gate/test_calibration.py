"""The operating curve, from made-up rounds."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from runs_for_tests import MACHINE

from benchmarks.gate import operating, paired
from benchmarks.gate.calibration import SLOWDOWNS, Calibration, Comparison, Elsewhere, Gated
from benchmarks.gate.paired import Side
from benchmarks.gate.verdict import Verdict
from benchmarks.harness import records
from benchmarks.harness.devices import Cpu
from benchmarks.views import operating as views
from minisgd.common.cli import UsageError


def made(load="idle", failure=None):
    """A head for every slowdown, which shows as just that, with hardly any noise."""
    noise = [(-1) ** place * 1e-4 for place in range(10)]
    data = {
        slowdown: Comparison(benchmark="numba/full-64-float32-x1", logs=[slowdown + each for each in noise], failure=failure)
        for slowdown in SLOWDOWNS
    }
    return [
        Gated(
            created=datetime(2026, 1, 1, tzinfo=UTC), commit="c" * 40, machine=MACHINE, seconds=60, load=load, slowdown=slowdown,
            min_effect=0.03, budget_s=600, comparisons=[found],
        )
        for slowdown, found in data.items()
    ]  # fmt: skip


def test_verdicts_are_those_of_today_s_rule():
    found = Calibration(gates=[*made(), *made()])
    assert operating.share(operating.comparisons(found, "idle", 0.0), Verdict.SAME)[0] == 2
    assert operating.share(operating.comparisons(found, "idle", 0.05), Verdict.SLOWER)[0] == 2
    assert operating.share(operating.comparisons(found, "idle", 0.02), Verdict.SLOWER)[0] == 0


def test_the_page_has_a_table_for_each_load_and_counts_false_alarms_over_both():
    text = views.markdown(Calibration(gates=[*made(), *made("hog")]), "gate.svg")
    assert "0 false alarms in 2 comparisons" in text
    assert text.count("| true slowdown |") == 2
    assert "| 5 % | 3 % | 10 min | 1 | 1 |" in text


def test_a_smaller_change_is_a_curve_of_its_own():
    finer = [one.model_copy(update={"min_effect": 0.01}) for one in made()]
    found = Calibration(gates=[*made(), *finer], others=[said("asv", 0.0, [])])
    assert [line.called[0.02] for line in operating.lines_of(found, "idle") if line.tool == "this gate"] == [(0, 1), (1, 1)]
    text = views.markdown(found, "gate.svg")
    assert "| 2 % | 3 % | 10 min | 1 | 0 |" in text
    assert "| 2 % | 1 % | 10 min | 1 | 1 |" in text
    assert "Measured on a CPU (AVX2), 2 cores, with `--min-effect` 3% and 1%." in text
    assert "| this gate | `--min-effect 1%` |" in text


def test_a_short_budget_is_counted_apart():
    short = [one.model_copy(update={"budget_s": 150.0}) for one in made()]
    text = views.markdown(Calibration(gates=[*made(), *short, *short]), "gate.svg")
    assert "| 5 % | 3 % | 2 min | 2 | 2 |" in text
    assert "| 5 % | 3 % | 10 min | 1 | 1 |" in text


def test_the_page_in_the_docs_is_that_of_the_rounds_kept():
    docs = Path(__file__).parents[3] / "docs"
    found = records.read(docs / "gate.json", Calibration, "gate --calibrate")
    page = (docs / "gate.md").read_text(encoding="utf-8")
    assert page == views.page(page, found, "gate.svg")
    with pytest.raises(UsageError, match="no markers"):
        views.page("no markers", found, "gate.svg")


def said(tool, slowdown, slower, faster=()):
    return Elsewhere(
        tool=tool, created=datetime(2026, 1, 1, tzinfo=UTC), commit="c" * 40, seconds=90, load="idle", slowdown=slowdown,
        benchmarks=["one", "other"], slower={"median:5%": slower}, faster={"median:5%": list(faster)},
    )  # fmt: skip


def test_tools_stand_side_by_side_and_what_is_equal_is_an_alarm_either_way():
    others = [said("pytest-benchmark", 0.0, ["one"], ["other"]), said("pytest-benchmark", 0.0, []),
              said("pytest-benchmark", 0.05, ["one"], ["other"])]  # fmt: skip
    found = Calibration(gates=made(), others=others)
    gate, other = operating.lines_of(found, "idle")
    assert gate.called[0.0] == (0, 1)
    assert gate.called[0.05] == (1, 1)
    assert (other.called[0.0], other.called[0.05], other.called[0.1]) == ((2, 4), (1, 2), (0, 0))
    text = views.markdown(found, "gate.svg")
    assert "| pytest-benchmark | `median:5%` | 1.5 | 2 of 4 |  |  |  | 1 of 2 |  |" in text
    assert "pytest-benchmark, median:5%" in views.picture(found).axes[-1].get_legend_handles_labels()[1]


def test_what_failed_is_not_counted():
    assert not operating.comparisons(Calibration(gates=made(failure="died")), "idle", 0.0)


def test_the_picture_shows_both_loads():
    figure = views.picture(Calibration(gates=[*made(), *made("hog")]))
    assert [axes.get_title() for axes in figure.axes] == list(operating.LOADS.values())


def test_extra_work_is_done_and_takes_its_time(monkeypatch):
    class Work:
        def calls(self, count):
            return [partial(time.sleep, 1e-3)] * count

    monkeypatch.setattr(paired.Prepared, "current", paired.Prepared(Work(), Cpu(), 1, ExitStack()))
    start = time.perf_counter()
    found = paired.sample(10, Side("slow", extra=2.0).extra)
    assert 3e-3 <= found <= (time.perf_counter() - start) / 10
