"""The other tools on equal sides, and on one that works longer."""

from __future__ import annotations

import time

import pytest

from benchmarks.commands import gate
from benchmarks.gate import others, planted
from benchmarks.gate.calibration import Calibration
from benchmarks.tools import point_name
from minisgd.cli import UsageError

PRINTED = """
| Change   | Before [1f]   | After [2e]   |   Ratio | Benchmark (Parameter)                                        |
|----------|---------------|--------------|---------|--------------------------------------------------------------|
| +        | 4.00±0.1μs    | 4.50±0.1μs   |    1.12 | gemm.NumbaFull.track_seconds('numba/full', 64, 'float32', 1) |
|          | 4.00±0.1μs    | 4.50±1μs     |   ~1.12 | gemm.NumpyFull.track_seconds('numpy/full', 64, 'float32', 1) |
"""


def test_marks_are_read_from_what_asv_prints():
    assert [mark for mark, _ in others.marks(PRINTED)] == ["+", ""]


def test_a_planted_slowdown_is_paid_in_full_and_counts_once_where_calls_nest():
    slowdown = planted.Slowdown(2.0)
    inner = slowdown.of(lambda: time.sleep(2e-3))
    outer = slowdown.of(inner)
    start = time.perf_counter()
    for _ in range(5):
        outer()
    assert 5 * 3 * 2e-3 <= time.perf_counter() - start < 5 * 9 * 2e-3


def test_what_a_call_returns_is_slowed_down_too():
    slowdown = planted.Slowdown(2.0)
    epoch = slowdown.of(lambda: lambda: time.sleep(2e-3))()
    start = time.perf_counter()
    epoch()
    assert time.perf_counter() - start >= 3 * 2e-3


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
        gate._calibrate(None, Calibration(), tool, "HEAD", None, 0.03, None)


def test_a_point_has_asv_s_name():
    from benchmarks import tracked

    assert point_name(tracked.case("gemm", "numba/full", 64, "float32", 1)) in PRINTED
