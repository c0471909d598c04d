"""A file of pytest-benchmark as a run: its own statistics, and what `benchmarks.conftest` has added."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import derived, statistics
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Case, Record, Run
from benchmarks.trackers.asv import MALFORMED
from minisgd.common.cli import UsageError


def run(path: Path) -> Run:
    """Read a file that ``pytest --benchmark-json`` or ``--benchmark-save`` has written; those of old versions hold less.

    Raises
    ------
    UsageError
        If the file is missing, cut off, or has no benchmark of this suite.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        noted = [each for each in found["benchmarks"] if "case" in (each.get("extra_info") or {})]
        if not noted:
            raise UsageError(f"{path}: no benchmark of this suite; make one with: pytest benchmarks --benchmark-json=NEW.json")
        commit = found.get("commit_info") or {}
        return Run(
            created=datetime.fromisoformat(found["datetime"]),
            commit=commit.get("minisgd") or commit.get("id"),
            machine=_machine(found.get("machine_info") or {}),
            records=[_record(each["extra_info"], each["stats"]) for each in noted],
        )
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a file of pytest --benchmark-json") from None
    except UsageError:
        raise
    except MALFORMED as error:
        raise UsageError(f"{path}: not pytest-benchmark's, or cut off ({type(error).__name__}); measure again") from None


def _machine(info: dict[str, Any]) -> Machine:
    """The machine as this suite has described it, or else as pytest-benchmark has."""
    if "minisgd" in info:
        return Machine.model_validate(info["minisgd"])
    cpu = info.get("cpu") or {}
    named = (cpu.get("brand_raw"), cpu.get("brand"), info.get("processor"), "unknown CPU")
    return Machine(
        cpu=next(filter(None, named)), cores=cpu.get("count") or 0, vectors="", caches=[], memory_bytes=0,
        os=" ".join(filter(None, (info.get("system"), info.get("release")))), python=info.get("python_version") or "",
        libraries={}, blas=[], gpu=None,
    )  # fmt: skip


def _record(noted: dict[str, Any], stats: dict[str, Any]) -> Record:
    case = Case.model_validate(noted["case"])
    samples = stats.get("data")
    if not stats.get("rounds") or not stats["median"]:
        return Record(**dict(case), failure="the clock said 0, or no round was kept")
    if samples:
        seconds = statistics.summary([[sample] for sample in samples])
    else:  # not kept: the notches of a box plot (McGill, Tukey and Larsen 1978)
        middle, reach = stats["median"], 1.57 * stats["iqr"] / stats["rounds"] ** 0.5
        seconds = middle, middle - reach, middle + reach
    speed = derived.speed(case, seconds)
    peak = noted.get("peak_gflops")  # noted beside the ceilings, which the file does not keep; older files have the percentage
    percent = derived.percent_of_peak(speed["gflops"], peak) if peak else noted.get("percent_of_peak")
    return Record(
        **dict(case),
        **speed | {"peak_gflops": peak, "percent_of_peak": percent},
        samples_s=samples,
        calls_per_sample=stats.get("iterations"),
        thread_settings=noted.get("thread_settings"),
        flops=noted["flops"],
        bytes=noted.get("bytes"),
        code_path=noted.get("code_path"),
        held_back=noted.get("held_back", []),
        error=noted.get("error"),
        error_bound=noted.get("error_bound"),
        passed=True,
    )
