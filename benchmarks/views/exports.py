"""Runs in the formats that dashboards read, with the direction of each metric where the format declares one.

github-action-benchmark reads a file for each direction, which its option ``tool`` names. Bencher knows ``latency``, which alerts
at an upper boundary, and ``throughput``, which alerts at a lower one. Apache Otava reads a history as CSV, and a configuration
with a direction for each metric.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from benchmarks.harness.records import Record, Run
from benchmarks.views import tables
from minisgd.common.cli import UsageError
from minisgd.common.escaping import cell, prose
from minisgd.common.tables.to_markdown import to_markdown

COLUMNS = ("title", "workload", "kernel", "size", "dtype", "device", "threads", "cache", "layout", "tile")
MEASURED = (
    "median_s", "gflops", "gflops_low", "gflops_high", "percent_of_peak", "examples_s", "compile_s", "workspace_bytes", "error",
    "error_bound", "failure", "low_s", "high_s", "peak_gflops", "code_path",
)  # fmt: skip


def render(format: str, runs: Sequence[Run]) -> dict[str, str]:
    """Runs in one of the `FORMATS`: text of each file by name.

    Raises
    ------
    UsageError
        If two records of a run have the same name: a dashboard would keep one of them.
    """
    for run in runs:
        counted = Counter(record.series for record in run.records)
        if twice := [name for name, count in counted.items() if count > 1]:
            raise UsageError(f"{twice[0]}: {counted[twice[0]]} records of a run have this name; measure them in separate runs")
    return FORMATS[format](runs)


def github(runs: Sequence[Run]) -> dict[str, str]:
    """github-action-benchmark's custom JSON, of the newest run.

    Returns
    -------
    dict of str to str
        Text of each file by name; the names are the action's ``tool``.
    """
    passed = timed(runs[-1])
    seconds = [
        {
            "name": each.series, "unit": "s", "value": each.median_s,
            "range": f"{low:.3g} to {high:.3g}", "extra": _extra(each),
        }
        for each in passed for low, high in [each.interval_s]
    ]  # fmt: skip
    rates = [
        {
            "name": each.series, "unit": "GFLOPS", "value": each.gflops,
            "range": f"{each.gflops_low or each.gflops:.3g} to {each.gflops_high or each.gflops:.3g}", "extra": _extra(each),
        }
        for each in passed
    ]  # fmt: skip
    return {"customSmallerIsBetter.json": json.dumps(seconds, indent=1), "customBiggerIsBetter.json": json.dumps(rates, indent=1)}


def bencher(runs: Sequence[Run]) -> dict[str, str]:
    """Bencher Metric Format, of the newest run: ``latency`` in nanoseconds, ``throughput`` in flops a second."""
    found = {}
    for each in timed(runs[-1]):
        low, high = each.interval_s
        found[each.series] = {
            "latency": {"value": 1e9 * (each.median_s or 0), "lower_value": 1e9 * low, "upper_value": 1e9 * high},
            "throughput": {
                "value": 1e9 * (each.gflops or 0),
                "lower_value": 1e9 * (each.gflops_low or each.gflops or 0),
                "upper_value": 1e9 * (each.gflops_high or each.gflops or 0),
            },
        }
    return {"bencher.json": json.dumps(found, indent=1)}


def otava(runs: Sequence[Run]) -> dict[str, str]:
    """Apache Otava's CSV, a row a run, and its configuration: seconds, of which less is better.

    Otava refuses a column with a gap. So the cases that were timed in the same runs share a test and a file, those of the most
    runs first.
    """
    medians = [{each.series: each.median_s for each in timed(run)} for run in runs]
    together: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in dict.fromkeys(chain(*medians)):
        together[tuple(place for place, found in enumerate(medians) if name in found)].append(name)
    files, config = {}, "tests:\n"
    for number, (places, names) in enumerate(sorted(together.items(), key=lambda each: -len(each[0])), start=1):
        suffix = f"-{number}" if number > 1 else ""
        rows = [
            [_time(runs[place].created), runs[place].commit or "", "main", *(medians[place][name] for name in names)]
            for place in places
        ]
        files[f"otava{suffix}.csv"] = _csv([["time", "commit", "branch", *map(_column, names)], *rows])
        config += (
            f"  minisgd{suffix}:\n    type: csv\n    file: otava{suffix}.csv\n    time_column: time\n"
            "    attributes: [commit, branch]\n    csv_options: {delimiter: ','}\n    metrics:\n"
        )
        config += "".join(f"      {json.dumps(_column(name))}: {{direction: -1}}\n" for name in names)  # YAML's own quotes
    return files | {"otava.yaml": config}


def as_csv(runs: Sequence[Run]) -> dict[str, str]:
    """A row a record of every run."""
    rows = [
        [
            run.created.isoformat(),
            run.commit,
            run.machine.cpu,
            *(getattr(each, name) for name in (*COLUMNS, *MEASURED)),
            " ".join(each.held_back),
        ]
        for run in runs
        for each in run.records
    ]
    return {"records.csv": _csv([["created", "commit", "cpu", *COLUMNS, *MEASURED, "held_back"], *rows])}


def markdown(runs: Sequence[Run]) -> dict[str, str]:
    """A table of the newest run, for a step summary."""
    run = runs[-1]
    lines = [
        f"**{prose(run.machine.cpu)}**, commit {prose((run.commit or 'unknown')[:8])}, {run.created:%Y-%m-%d %H:%M} UTC",
        "",
        to_markdown(tables.summary(run)),
    ]
    return {"summary.md": "\n".join(lines) + "\n"}


FORMATS: dict[str, Callable[[Sequence[Run]], dict[str, str]]] = {
    "github": github, "bencher": bencher, "otava": otava, "csv": as_csv, "markdown": markdown,
}  # fmt: skip


def timed(run: Run) -> list[Record]:
    """Records with a speed."""
    return [each for each in run.records if each.median_s and each.gflops]


def _extra(record: Record) -> str:
    known = {"threads": record.threads, "percent of peak": record.percent_of_peak, "error": record.error}
    return "\n".join(f"{name}: {value:.3g}" for name, value in known.items() if value is not None)


def _column(name: str) -> str:
    """A metric's name, without characters that have a meaning in a configuration file."""
    return str(cell(name.replace("/", "_")))


def _time(created: datetime) -> str:
    return created.strftime("%Y.%m.%d %H:%M:%S +0000")


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(cell, row) for row in rows)
    return text.getvalue()
