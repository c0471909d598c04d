"""``python -m benchmarks merge``: the runs of a sweep that was spread over machines, joined."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import RUNS, Json, Plot, Runs


def merge(
    files: Annotated[list[Path], typer.Argument(metavar="RUN...", help="The runs of all shards, in any order.")],
    runs: Runs = RUNS,
    plot: Plot = None,
    json: Json = None,
) -> None:
    """Join the runs of all shards to one, keep it and print it.

    Example: python -m benchmarks merge .runs/*-1-of-2.json .runs/*-2-of-2.json
    """
    from benchmarks.commands.run import conclude
    from benchmarks.commands.show import present
    from benchmarks.harness import merging, records
    from minisgd.common.terminal import console, require_writable

    screen = console(json)
    require_writable(runs)
    loaded = [(path, records.load(path)) for path in files]
    found = merging.merge(loaded)
    path = records.fresh(runs, "merged")
    records.save(found, path)
    screen.print(f"run kept in {path}", soft_wrap=True)
    present(found, screen, json, plot, book=False)
    conclude(found, None)
