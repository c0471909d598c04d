"""The other tools on equal sides, and on one that works longer."""

from __future__ import annotations

import shutil
import time

import gpus
import pytest

from benchmarks import tracked
from benchmarks.commands.gating import calibrating
from benchmarks.commands.gating.asked import Asked
from benchmarks.gate import others, planted
from benchmarks.gate.calibration import Calibration
from benchmarks.harness.names import asv_name
from benchmarks.trackers import tools
from minisgd.common.cli import UsageError

PRINTED = """
| Change   | Before [1f]   | After [2e]   |   Ratio | Benchmark (Parameter)                                        |
|----------|---------------|--------------|---------|--------------------------------------------------------------|
| +        | 4.00±0.1μs    | 4.50±0.1μs   |    1.12 | gemm.NumbaFull.track_seconds('numba/full', 64, 'float32', 1) |
|          | 4.00±0.1μs    | 4.50±1μs     |   ~1.12 | gemm.NumpyFull.track_seconds('numpy/full', 64, 'float32', 1) |
"""


def test_marks_are_read_from_what_asv_prints():
    assert [mark for mark, _ in others.marks(PRINTED)] == ["+", ""]


class Clock:
    """A clock on which each look takes a microsecond, and work as long as it says."""

    now = 0.0

    def look(self):
        self.now += 1e-6
        return self.now

    def work(self):
        self.now += 2e-3


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(time, "perf_counter", made.look)
    return made


def test_a_planted_slowdown_is_paid_in_full_and_counts_once_where_calls_nest(clock):
    slowdown = planted.Slowdown(2.0)
    outer = slowdown.of(slowdown.of(clock.work))
    for _ in range(5):
        outer()
    assert clock.now == pytest.approx(5 * 3 * 2e-3, rel=0.01)


def test_a_pause_of_the_process_pays_for_one_call_and_no_more(clock, monkeypatch):
    slowed, look = planted.Slowdown(2.0).of(clock.work), clock.look

    looks = iter([0.0, 0.0, 1.0])  # seconds before each look: the third is in the loop that works on

    def paused():
        clock.now += next(looks, 0.0)
        return look()

    monkeypatch.setattr(time, "perf_counter", paused)
    slowed()
    before = clock.now
    for _ in range(5):
        slowed()
    assert clock.now - before == pytest.approx((1 + 4 * 3) * 2e-3, rel=0.01)


def test_what_a_call_returns_is_slowed_down_too(clock):
    epoch = planted.Slowdown(2.0).of(lambda: clock.work)()
    before = clock.now
    epoch()
    assert clock.now - before == pytest.approx(3 * 2e-3, rel=0.01)


MEASURES = ("__init__.py", "conftest.py", "gemm.py", "sgd.py", "test_gemm.py", "tracked.py", "harness", "trackers", "gate")
"""Of `benchmarks`; asv imports all that is there, whatever it is to measure. pytest prints a table, too."""


@pytest.fixture
def measures(suite, tool, tmp_path, monkeypatch):
    """The suite's measuring part, in the place of this checkout; no process of it waits for torch."""
    folder = shutil.copytree(suite, tmp_path / "suite")
    for path in (folder / "benchmarks").iterdir():
        if path.name not in (*MEASURES, *(["views"] if tool == "pytest-benchmark" else [])):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    monkeypatch.setattr(tools, "ROOT", folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(gpus.FOLDER)
    monkeypatch.setenv("FAKE_GPU", "none")


@pytest.mark.usefixtures("measures")
@pytest.mark.parametrize("tool", list(others.TOOLS))
def test_a_tool_sees_a_planted_slowdown(tool, monkeypatch):
    monkeypatch.setattr(others, "SLOWDOWNS", (9.0,))  # less than twice is not enough for asv each time
    title = "numpy/full-64-float32-x1"
    (found,) = others.measure(tool, "HEAD", [title], "idle", lambda slowdown: None)
    assert found.benchmarks == [title]
    assert found.seconds > 0
    assert found.slowdown == 9.0
    assert all(called == [title] for called in found.slower.values())
    assert not any(found.faster.values())


@pytest.mark.parametrize(("tool", "said"), [("clock", "--tool clock: expected gate, asv or pytest-benchmark"),
                                            ("asv", "has nothing to put beside it")])  # fmt: skip
def test_a_tool_that_cannot_be_put_to_the_test_is_told_in_a_line(tool, said):
    with pytest.raises(UsageError, match=said):
        calibrating.calibrate(None, Calibration(), tool, "HEAD", Asked([], 0.03, None, "cpu", False))


def test_a_point_has_asv_s_name():
    assert asv_name(tracked.case("gemm", "numba/full", 64, "float32", 1)) in PRINTED
