"""Options that several commands share, each said once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minisgd.common.cli import UsageError
from minisgd.common.options import Json as Json

if TYPE_CHECKING:
    from benchmarks.harness.records import Run

Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder that keeps the runs.")]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="PREFIX", help="Draw the picture into PREFIX.png and PREFIX.svg."),
]
Asv = Annotated[Path | None, typer.Option("--asv", metavar="DIR", help="asv's results folder, instead of a run.")]
Pytest = Annotated[Path | None, typer.Option("--pytest", metavar="FILE", help="pytest-benchmark's JSON, instead of a run.")]
Device = Annotated[str, typer.Option("--device", help="cpu or cuda.")]
Devices = Annotated[list[str] | None, typer.Option("--device", help="cpu, if left out, or cuda; repeatable.")]
Dtypes = Annotated[
    list[str] | None,
    typer.Option("--dtype", help="float32 or float64; on cuda float16, bfloat16 and tfloat32 too; repeatable."),
]
Timeout = Annotated[float, typer.Option("--timeout", min=0.001, metavar="SECONDS", help="Time limit of a case in a round.")]

RUNS = Path(".runs")
ASV = Path(".asv/results")
TIMEOUT_S = 60.0


def find_runs(
    file: Path | None, asv: Path | None, pytest: Path | None, folder: Path, complain: Callable[[str], None]
) -> list[Run]:
    """Runs from where the options say, oldest first; the newest of the folder if they say nothing.

    Raises
    ------
    UsageError
        If more than one place is named, or there is no run.
    """
    from benchmarks.harness.records import load
    from benchmarks.trackers import asv as asv_store
    from benchmarks.trackers import pytest_benchmark

    if sum(each is not None for each in (file, asv, pytest)) > 1:
        raise UsageError("expected one of a run file, --asv and --pytest")
    if asv:
        found = asv_store.runs(asv, complain)
        if not found:
            raise UsageError(f"{asv}: no result of this suite; make some: asv run")
        return found
    if pytest:
        return [pytest_benchmark.run(pytest)]
    path = file or _newest(folder)
    if path is None:
        raise UsageError(f"{folder}: no runs yet; python -m benchmarks run makes one")
    return [load(path)]


def _newest(folder: Path) -> Path | None:
    """The run that was written last. What experiments and gates have found may lie beside it, and is none."""
    for path in sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return path  # whoever reads it as a run says what is wrong
        if not isinstance(found, dict) or "records" in found:
            return path
    return None
