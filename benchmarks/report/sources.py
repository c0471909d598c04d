"""What a page is made from: runs, series, a gate's outcome and experiments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from benchmarks.frameworks.columns import Columns
from benchmarks.gate.outcome import Outcome
from benchmarks.harness.records import Run
from benchmarks.trackers.history import Series
from benchmarks.views.naming import run_names
from minisgd.common.cli import UsageError


class Listed(BaseModel):
    """An experiment's table."""

    title: str
    headings: list[str]
    units: list[str] = []
    rows: list[list[str | int | float | None]]


class Finding(BaseModel):
    """The fields of an experiment's file that every section needs; pictures need more."""

    experiment: str
    table: Listed
    sentences: list[str] = Field(min_length=1)


def finding(found: dict[str, Any], path: Path) -> Finding:
    """Validate an experiment's file.

    Raises
    ------
    UsageError
        If its table or its sentences are missing.
    """
    try:
        return Finding.model_validate(found)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise UsageError(f"{path}: not a valid experiment: {where}; run the experiment again") from None


@dataclass
class Sources:
    """What a page is made from.

    Parameters
    ----------
    runs : list of (str, Run)
        With the files' names.
    scaling : list of (str, Run)
        Those of several processes.
    series : list of Series
        Over commits.
    outcome : Outcome, optional
        The last gate's.
    columns : (Columns, Run or None), optional
        Of the frameworks, and the run that they are from.
    findings : dict
        What experiments found, by name.
    commit_url : str
        Prefix of a commit's address; empty for no links.
    command : str
        The command that makes the page.
    """

    runs: list[tuple[str, Run]] = field(default_factory=list)
    scaling: list[tuple[str, Run]] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    outcome: Outcome | None = None
    columns: tuple[Columns, Run | None] | None = None
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)
    commit_url: str = ""
    command: str = "python -m benchmarks report"

    def name(self, file: str) -> str:
        """What the run of a file is called."""
        return dict(zip((name for name, _ in self.runs), run_names(self.runs), strict=True))[file]

    def products(self) -> list[tuple[str, Run]]:
        """Runs with matrix products at the kernels' own tiles."""
        kept = [
            (name, run.model_copy(update={"records": [record for record in run.records if record.workload == "gemm"]}))
            for name, run in self.runs if not swept(run)
        ]  # fmt: skip
        return [(name, run) for name, run in kept if run.records]


def swept(run: Run) -> bool:
    """Whether a run varies a tile."""
    tiles = defaultdict(set)
    for record in run.records:
        tiles[record.kernel, record.size, record.dtype, record.threads].add(str(record.tile))
    return any(len(each) > 2 for each in tiles.values())
