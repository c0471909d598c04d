"""``python -m benchmarks export``: a run, or what asv or pytest-benchmark stored, in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import RUNS, Asv, Pytest, Runs
from minisgd.common.cli import UsageError


def export(
    format: Annotated[str, typer.Option(help="github, bencher, otava, csv or markdown.")],
    run: Annotated[Path | None, typer.Option("--run", metavar="FILE", help="A run; the newest one if left out.")] = None,
    asv: Asv = None,
    pytest: Pytest = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder that is written to.")] = RUNS / "export",
    runs: Runs = RUNS,
) -> None:
    """Write files that dashboards read, and print their paths.

    Example: python -m benchmarks export --format otava --asv .asv/results
    """
    from benchmarks.commands.options import find_runs
    from benchmarks.views.exports import FORMATS, render
    from minisgd.common.files import write
    from minisgd.common.terminal import console, require_writable

    screen = console(None)
    if format not in FORMATS:
        raise UsageError(f"--format {format}: expected {', '.join(FORMATS)}")
    found = find_runs(run, asv, pytest, runs, lambda line: screen.print(line, style="yellow"))
    require_writable(out)
    for name, text in render(format, found).items():
        path = out / name
        try:
            write(path, text)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        screen.print(str(path), soft_wrap=True)
