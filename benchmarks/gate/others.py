"""The other tools put to the same test: ``asv continuous``, and pytest-benchmark's ``--benchmark-compare-fail``.

Both measure the base first and then the head, each in processes of its own, and take as long as they take by themselves. The
slowdowns are planted in the head's kernels and steps (`benchmarks.gate.planted`).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copy2

from pytest_benchmark.utils import parse_compare_fail

from benchmarks.gate import alone, grids, planted, sides
from benchmarks.gate.calibration import SLOWDOWNS, Elsewhere, Load, beside
from benchmarks.gate.paired import Side
from benchmarks.harness import names
from benchmarks.harness.records import Case
from benchmarks.trackers import pytest_benchmark, tools

Called = dict[str, list[str]]
"""Benchmarks that a tool calls changed, by the rule that it goes by."""

FACTORS = ("1.03", "1.05", "1.1")
"""The last is asv's own."""

CHECKS = ("median:3%", "median:5%", "median:10%")

MARKS = {"+": "slower", "-": "faster"}
"""Of ``asv compare``."""


def measure(tool: str, commit: str, patterns: Sequence[str], load: Load, advance: Callable[[float], None]) -> Iterator[Elsewhere]:
    """A round, comparison by comparison.

    Parameters
    ----------
    tool : str
        A key of `TOOLS`.
    commit : str
        Both sides'.
    patterns : sequence of str
        Benchmarks.
    load : {"idle", "hog"}
    advance : callable
        Told each slowdown before it is measured.
    """
    with sides.prepared(commit, commit) as pair, beside(load):
        cases = [case for case in grids.of_suite(pair.base).cases if case.title in patterns]
        for side in (pair.base, pair.head):
            copy2(planted.__file__, Path(side.home.path[0], "sitecustomize.py"))
        for slowdown in SLOWDOWNS:
            advance(slowdown)
            start = time.monotonic()
            slower, faster = TOOLS[tool](cases, environment(pair.base, 0.0), environment(pair.head, slowdown))
            yield Elsewhere(
                tool=tool, created=datetime.now(UTC), commit=pair.commits["base"], seconds=time.monotonic() - start, load=load,
                slowdown=slowdown, benchmarks=[case.title for case in cases], slower=slower, faster=faster,
            )  # fmt: skip


def environment(side: Side, slowdown: float) -> dict[str, str]:
    """Variables by which a tool finds a side's code, and what is planted in it."""
    path = os.pathsep.join(side.home.path)
    return {"PYTHONPATH": path, "ASV_PYTHONPATH": path, planted.SHARE: str(slowdown), **side.home.environment}


def by_asv(cases: Sequence[Case], base: dict[str, str], head: dict[str, str]) -> tuple[Called, Called]:
    """``asv run`` of both, and ``asv compare``: what ``asv continuous`` does, without an environment for each."""
    with alone.folder() as folder:
        git = partial(subprocess.run, cwd=folder, check=True, capture_output=True, text=True)
        git(["git", "init", "-q", "-b", "main"])
        commits = []
        for name in ("base", "head"):
            git(["git", "-c", "user.name=gate", "-c", "user.email=gate@localhost", "commit", "-q", "--allow-empty", "-m", name])
            commits.append(git(["git", "rev-parse", "HEAD"]).stdout.strip())
        tools.prepare_asv(folder, folder)
        for commit, side in zip(commits, (base, head), strict=True):
            tools.run_asv(cases, folder, commit, environment=side)
        titles = {names.asv_name(case): case.title for case in cases}
        called: dict[str, Called] = {verdict: {f"--factor {factor}": [] for factor in FACTORS} for verdict in MARKS.values()}
        for factor in FACTORS:
            for mark, name in marks(tools.run_tool("asv", folder, "compare", "--factor", factor, *commits)):
                if mark in MARKS:
                    called[MARKS[mark]][f"--factor {factor}"].append(titles[name])
        return called["slower"], called["faster"]


def marks(printed: str) -> Iterator[tuple[str, str]]:
    """Mark and benchmark of each row of the table that ``asv compare`` prints."""
    for line in printed.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.lstrip().startswith("|") and ".track_" in cells[-1]:
            yield cells[0], cells[-1]


def by_pytest(cases: Sequence[Case], base: dict[str, str], head: dict[str, str]) -> tuple[Called, Called]:
    """Both sides by pytest-benchmark, and its check of the second against the first; it knows no faster."""
    with alone.folder() as folder:
        found: list[dict[str, dict[str, float]]] = []
        for side in (base, head):
            stored = folder / f"{len(found)}.json"
            tools.run_pytest(cases, stored, side)
            found.append({record.title: {"median": record.median_s or 0.0} for record in pytest_benchmark.run(stored).records})
    before, after = found
    checks = {rule: parse_compare_fail(rule) for rule in CHECKS}  # type: ignore[no-untyped-call]
    slower = {rule: [title for title in after if check.fails(after[title], before[title])] for rule, check in checks.items()}
    return slower, {}


TOOLS: dict[str, Callable[[Sequence[Case], dict[str, str], dict[str, str]], tuple[Called, Called]]] = {
    "asv": by_asv,
    "pytest-benchmark": by_pytest,
}
