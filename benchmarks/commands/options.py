"""Options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    str | None,
    typer.Option("--json", metavar="PATH|-", help="Write the result as JSON to a file, or to standard output for -."),
]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder that keeps the runs.")]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="PREFIX", help="Draw the picture into PREFIX.png and PREFIX.svg."),
]
Device = Annotated[str, typer.Option("--device", help="cpu or cuda.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.001, metavar="SECONDS", help="For a case in a round.")]

RUNS = Path(".runs")
TIMEOUT_S = 60.0
