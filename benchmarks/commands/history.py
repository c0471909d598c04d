"""``python -m benchmarks history``: what asv has stored over commits, and where something got worse or better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import ASV, RUNS, Json, Plot
from minisgd.common.cli import UsageError


def history(
    asv: Annotated[Path, typer.Option("--asv", metavar="DIR", help="asv's results folder.")] = ASV,
    only: Annotated[str, typer.Option(metavar="GLOB", help="Cases, such as 'numba/*-float32-*'.")] = "*",
    every: Annotated[bool, typer.Option("--all", help="Series without a step as well.")] = False,
    plot: Plot = RUNS / "history",
    json: Json = None,
) -> None:
    """Print each case's series over commits and the steps in it: better and worse, worst first.

    Example: python -m benchmarks history --only 'numba/*'
    """
    from fnmatch import fnmatchcase

    from benchmarks.commands.show import draw
    from benchmarks.harness.checkout import require_clone
    from benchmarks.trackers import asv as store
    from benchmarks.trackers.history import series, worst_first
    from benchmarks.views import history as views
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, write_json

    if not asv.exists():
        require_clone("history")
    screen = console(json)
    with screen.status("reading the results"):
        points = store.points(asv, lambda line: screen.print(line, style="yellow"))
        found = series((point for point in points if fnmatchcase(point.case.title, only)), asv)
    if not found:
        raise UsageError(f"{asv}: no results of this suite that match {only}; make some: asv run")
    with screen.status("looking for steps"):
        ordered = worst_first(found)
    shown = [each for each in ordered if every or each.steps]
    if shown:
        screen.print(to_terminal(views.table_of(shown)))
    for sentence in views.sentences(found):
        screen.print(sentence)
    write_json(views.plain(found), json)
    if plot:
        draw(views.picture(shown or ordered), plot, screen)
