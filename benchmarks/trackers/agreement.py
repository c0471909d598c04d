"""Whether the suite's own run, asv and pytest-benchmark measure the same times.

A round measures every case once with each tool, in a process of its own, one tool after the other. A tool's time is the median
of its rounds, with the interval of that median.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.harness import statistics, timing
from benchmarks.harness.checkout import ROOT
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker
from benchmarks.tracked import SAMPLES_S
from benchmarks.trackers import asv as asv_store
from benchmarks.trackers import pytest_benchmark, tools
from minisgd.common.cli import UsageError

Interval = tuple[float, float, float]
"""Median, low and high, in seconds."""


def by_run(cases: Sequence[Case]) -> dict[str, float]:
    """Medians by case, from a worker of our own."""
    found = {}
    for case in cases:
        with closing() as worker:
            found[case.title] = median(worker.call(timing.measure, tools.TIMEOUT_S, case, SAMPLES_S).samples_s)
    return found


def by_asv(cases: Sequence[Case]) -> dict[str, float]:
    """Medians by case, from ``asv run`` in this environment, with its files and settings in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        tools.prepare_asv(Path(folder))
        tools.run_asv(cases, Path(folder), _head(), "--record-samples")
        return {
            point.case.title: median(point.samples_s or [point.value])
            for point in asv_store.points(Path(folder, "results"))
            if point.metric == "seconds" and point.value is not None
        }


def by_pytest(cases: Sequence[Case]) -> dict[str, float]:
    """Medians by case, from ``pytest --benchmark-only``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pytest.json")
        tools.run_pytest(cases, path)
        return {record.title: record.median_s or 0.0 for record in pytest_benchmark.run(path).records}


TOOLS: dict[str, Callable[[Sequence[Case]], dict[str, float]]] = {"run": by_run, "asv": by_asv, "pytest-benchmark": by_pytest}


def compare(cases: Sequence[Case], rounds: int, advance: Callable[[str], None]) -> dict[str, dict[str, Interval]]:
    """Seconds of each case by each tool.

    Parameters
    ----------
    cases : sequence of Case
        Of the tracked grid.
    rounds : int
        With fewer than six the interval has less than 95 %.
    advance : callable
        Called ``rounds * len(TOOLS)`` times, each time with the name of the tool that measures next.

    Returns
    -------
    dict
        By case's title, then by tool.
    """
    medians: dict[str, dict[str, list[float]]] = {case.title: {tool: [] for tool in TOOLS} for case in cases}
    for _ in range(rounds):
        for tool, measure in TOOLS.items():
            advance(tool)
            for title, seconds in measure(cases).items():
                medians[title][tool].append(seconds)
    return {
        title: {tool: statistics.summary([[seconds] for seconds in found]) for tool, found in by_tool.items()}
        for title, by_tool in medians.items()
    }


def agree(intervals: Sequence[Interval]) -> bool:
    """Whether each two of the intervals overlap."""
    return max(low for _, low, _ in intervals) <= min(high for _, _, high in intervals)


def _head() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError("asv needs the checkout's git history; clone the repository instead of copying it")
    return done.stdout.strip()


@contextmanager
def closing() -> Iterator[Worker]:
    """A worker that ends with the block."""
    worker = Worker()
    try:
        yield worker
    finally:
        worker.close()
