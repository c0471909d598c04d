"""A file of pytest-benchmark's as a run: what its own statistics know, and what `benchmarks.conftest` has noted beside."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.harness import statistics
from benchmarks.harness.records import Case, Machine, Record, Run
from benchmarks.stores.asv import timed
from minisgd.cli import UsageError


def run(path: Path) -> Run:
    """Read a file that ``pytest --benchmark-json`` or ``--benchmark-save`` has written.

    Raises
    ------
    UsageError
        If the file is missing, cut off, or has no benchmark of this suite.
    """
    try:
        found = json.loads(path.read_text())
        noted = [each for each in found["benchmarks"] if "case" in each["extra_info"]]
        if not noted:
            raise UsageError(f"{path}: no benchmark of this suite; make one with: pytest benchmarks --benchmark-json={path}")
        return Run(
            created=datetime.fromisoformat(found["datetime"]),
            commit=found["commit_info"].get("minisgd") or found["commit_info"].get("id"),
            machine=Machine.model_validate(found["machine_info"]["minisgd"]),
            records=[_record(each["extra_info"], each["stats"]) for each in noted],
        )
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a file of pytest --benchmark-json") from None
    except UsageError:
        raise
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(f"{path}: not pytest-benchmark's, or cut off ({type(error).__name__}); measure again") from None


def _record(noted: dict[str, Any], stats: dict[str, Any]) -> Record:
    case = Case.model_validate(noted["case"])
    samples = stats.get("data")
    if samples:
        middle, low, high = statistics.summary([[sample] for sample in samples])
    else:  # not kept: the notches of a box plot (McGill, Tukey and Larsen 1978)
        middle, reach = stats["median"], 1.57 * stats["iqr"] / stats["rounds"] ** 0.5
        low, high = middle - reach, middle + reach
    return Record(
        **dict(case),
        **timed(noted["flops"], middle, low, high, case.shape.get("n") if case.workload == "sgd" else None),
        samples_s=samples,
        calls_per_sample=stats["iterations"],
        thread_settings=noted["thread_settings"],
        flops=noted["flops"],
        bytes=noted["bytes"],
        percent_of_peak=noted["percent_of_peak"],
        code_path=noted.get("code_path"),
        held_back=noted.get("held_back", []),
        error=noted["error"],
        error_bound=noted["error_bound"],
        passed=True,
    )
