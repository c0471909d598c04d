"""asv's results folder as points and runs.

asv keeps one file for each machine, commit and environment. A row is ``dict(zip(result_columns, row))``. Its values are in the
order of ``itertools.product`` over the parameters' reprs: null where a benchmark failed, NaN where it was skipped. asv's own
reader is no more stable than this format, and it stops at the first file that is cut off.
"""

from __future__ import annotations

import json
import math
from ast import literal_eval
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import derived, names, statistics
from benchmarks.harness.cases import AIRFOIL
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Case, Record, Run
from benchmarks.trackers.order import Order
from minisgd.common.cli import UsageError

METRICS = {"track_seconds": "seconds", "track_compile": "compile seconds", "track_workspace": "workspace bytes"}
"""What each method of `benchmarks.tracked` measures. Of each, less is better."""

DERIVED = {"track_gflops"}
"""Methods for asv's own graphs: here their values follow from the seconds."""

MOST_POINTS = 100_000
"""The most points of a benchmark: a file with more would fill the memory."""

SECONDS = (1e-12, 1e9)
"""The least and the most that a clock can have measured: less than a cycle, and thirty years."""

MALFORMED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""What reading and converting raise when a file holds something other than results."""


class OldFormat(Exception):
    """A file in asv's first format, which names no columns."""


class Point(NamedTuple):
    """One value of one case at one commit, with its interval; the value is None where the benchmark failed."""

    machine: str
    environment: str
    commit: str
    date: float
    case: Case
    metric: str
    value: float | None
    low: float
    high: float
    samples_s: list[float] | None


def points(folder: Path, complain: Callable[[str], None] = lambda line: None) -> Iterator[Point]:
    """Every value in a results folder, and every failure, file by file.

    Parameters
    ----------
    folder : Path
    complain : callable
        Called with a line for each file that cannot be read, and a line each for files in asv's first format and for benchmarks
        of other suites. They are left out.

    Raises
    ------
    UsageError
        If there is no machine in the folder.
    """
    machines = sorted(path.parent for path in folder.glob("*/machine.json"))
    if not machines:
        raise UsageError(f"{folder}: no asv results; expected MACHINE/COMMIT-ENVIRONMENT.json, as `asv run` writes")
    known: dict[Any, list[Case] | None] = {}
    strangers: set[str] = set()
    old = 0
    for machine in machines:
        for path in sorted(machine.glob("*.json")):
            if path.name == "machine.json":
                continue
            try:
                found = _file(path, machine.name, known, strangers)
            except OldFormat:
                old += 1
                continue
            except MALFORMED as error:
                complain(f"{path}: not an asv result, or cut off ({type(error).__name__}: {error}); left out")
                continue
            yield from found
    if old:
        complain(
            f"{folder}: {old} files in asv's first format left out; asv update, in a copy of the folder, makes them readable"
        )
    if strangers:
        complain(f"{folder}: {len(strangers)} benchmarks are not this suite's ({min(strangers)}, ...); left out")


def runs(folder: Path, complain: Callable[[str], None] = lambda line: None) -> list[Run]:
    """A run for each machine, environment and commit, in the order of the commits, oldest first."""
    grouped: dict[tuple[str, str, str, float], list[Point]] = defaultdict(list)
    for point in points(folder, complain):
        grouped[point.machine, point.environment, point.commit, point.date].append(point)
    machines = {name: _machine(folder / name / "machine.json", complain) for name in {key[0] for key in grouped}}
    ordered, _ = Order({commit for _, _, commit, _ in grouped}, folder).sort(grouped.items(), lambda each: each[0][2:])
    return [
        Run(created=datetime.fromtimestamp(date, UTC), commit=commit, machine=machines[machine], records=_records(found))
        for (machine, _, commit, date), found in ordered
    ]


def _file(path: Path, machine: str, known: dict[Any, list[Case] | None], strangers: set[str]) -> list[Point]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if "result_columns" not in found and "results" in found and found.get("version", 1) == 1:
        raise OldFormat
    columns = found["result_columns"]
    where = machine, str(found["env_name"]), str(found["commit_hash"]), _date(found["date"])
    made: list[Point] = []
    for name, row in [(name, dict(zip(columns, row, strict=False))) for name, row in found["results"].items()]:
        parsed, params = names.parse_asv(name), row.get("params") or []
        if parsed and parsed[1] in DERIVED:
            continue
        key = name, tuple(map(tuple, params))
        if key not in known:
            known[key] = _cases(name, params)
        cases = known[key]
        if parsed is None or cases is None:
            strangers.add(name)
            continue
        made += _row(where, METRICS[parsed[1]], cases, row)
    return made


def _row(where: tuple[str, str, str, float], metric: str, cases: list[Case], row: dict[str, Any]) -> Iterator[Point]:
    """The points of a benchmark, except those that were skipped."""
    values = row.get("result")
    if values is None:
        values = [None] * len(cases)  # every point failed
    lows, highs, samples = (row.get(column) or [None] * len(values) for column in ("stats_ci_99_a", "stats_ci_99_b", "samples"))
    for case, value, low, high, sampled in zip(cases, values, lows, highs, samples, strict=True):
        if value is None:
            yield Point(*where, case, metric, None, math.nan, math.nan, None)
            continue
        if sampled:
            if not all(_plausible(sample, metric) for sample in sampled):
                raise ValueError(f"samples of {case.title}")
            value, low, high = statistics.summary([[sample] for sample in sampled])
        if not _plausible(value, metric):
            continue  # skipped, or a time that no clock can have measured
        low = low if low is not None and _plausible(low, metric) else value
        high = high if high is not None and _plausible(high, metric) else value
        yield Point(*where, case, metric, value, min(low, value), max(high, value), sampled)


def _date(stored: float) -> float:
    """Seconds since 1970. asv stores milliseconds; some files have microseconds or nanoseconds."""
    date = float(stored) / 1000
    while date >= 1e11:  # the year 5138
        date /= 1000
    if not date >= 0:
        raise ValueError(f"date {stored}")
    return date


def _plausible(value: float, metric: str) -> bool:
    """Whether a value can have been measured: a call takes time; compiling and workspace may be 0."""
    least, most = SECONDS if metric == "seconds" else (0, 1e30)
    return bool(least <= value <= most)


def _cases(name: str, params: list[list[str]]) -> list[Case] | None:
    """The cases of a benchmark's points; None if it is not one of `METRICS`, or its parameters are not a case's."""
    parsed = names.parse_asv(name)
    if not parsed or parsed[1] not in METRICS or len(params) not in (4, 5):
        return None
    if math.prod(map(len, params)) > MOST_POINTS:
        raise ValueError(f"{name} has more than {MOST_POINTS} points")
    try:
        return [_case(parsed[0], *map(literal_eval, point)) for point in product(*params)]
    except (*MALFORMED, SyntaxError):
        return None


@cache
def _case(workload: str, kernel: str, size: int, dtype: str, threads: int, device: str = "cpu") -> Case:
    """A case from a stored point. The kernel need not exist any more."""
    backend, rung = names.split_kernel(workload, kernel)
    shape = dict.fromkeys("mnp", size) if workload == "gemm" else {**AIRFOIL, "batch": size}
    return Case(
        workload=workload,
        kernel=kernel,
        backend=backend,
        rung=rung,
        device=device,
        dtype=dtype,
        shape=shape,
        threads=threads,
    )


def _records(found: list[Point]) -> list[Record]:
    """A record for each case, from all metrics of it."""
    by_case: dict[Case, dict[str, Point]] = defaultdict(dict)
    for point in found:
        by_case[point.case][point.metric] = point
    return [record(case, **{name.partition(" ")[0]: point for name, point in by.items()}) for case, by in by_case.items()]


def record(case: Case, seconds: Point | None = None, compile: Point | None = None, workspace: Point | None = None) -> Record:
    """What asv has stored of a case. Of a failure asv stores no reason."""
    fields: dict[str, Any] = {
        "passed": True,
        "compile_s": compile and compile.value,
        "workspace_bytes": workspace and workspace.value,
    }
    if seconds and seconds.value is None:
        fields |= {"passed": False, "failure": "failed, by asv, which keeps no reason"}
    elif seconds and seconds.value:
        found = seconds.value, seconds.low, seconds.high
        fields |= derived.speed(case, found) | {"samples_s": seconds.samples_s}
    return Record(**dict(case), **derived.costs(case), **fields)


def _machine(path: Path, complain: Callable[[str], None]) -> Machine:
    """What asv stores of a machine."""
    found: dict[str, Any] = {}
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except MALFORMED as error:
        complain(f"{path}: {error}; the machine is left unnamed")
    return Machine(
        cpu=str(found.get("cpu") or found.get("machine") or "unknown CPU"), cores=_whole(found.get("num_cpu")), vectors="",
        caches=[], memory_bytes=_whole(found.get("ram")), os=str(found.get("os", "")), python="", libraries={}, blas=[], gpu=None,
    )  # fmt: skip


def _whole(stored: Any) -> int:
    """A number, which asv stores as text; 0 if the text is not a number."""
    text = str(stored)
    return int(text) if text.isdecimal() and len(text) < 20 else 0
