"""``python -m benchmarks show``: print a run that was kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import RUNS, Asv, Json, Plot, Pytest, Runs, find_runs
from minisgd.common.cli import NOTHING_MEASURED

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from benchmarks.harness.records import Run


def show(
    file: Annotated[Path | None, typer.Argument(help="A run file; the newest one if left out.")] = None,
    book: Annotated[bool, typer.Option("--book", help="Print the book's figures beside.")] = False,
    asv: Asv = None,
    pytest: Pytest = None,
    runs: Runs = RUNS,
    plot: Plot = None,
    json: Json = None,
) -> None:
    """Print a run that was kept, or the newest commit that asv has measured, and draw it.

    Example: python -m benchmarks show --plot .runs/ladder
    """
    from minisgd.common.terminal import console, write_json

    screen = console(json)
    newest = find_runs(file, asv, pytest, runs, lambda line: screen.print(line, style="yellow"))[-1]
    if any(record.ranks for record in newest.records):
        present(newest, screen, json, plot, book=book)
        return
    for workload in dict.fromkeys(record.workload for record in newest.records):
        part = newest.model_copy(update={"records": [each for each in newest.records if each.workload == workload]})
        place = plot and plot.with_name(f"{plot.name}-{workload}") if len(part.records) < len(newest.records) else plot
        present(part, screen, None, place, book=book)
    write_json(newest, json)
    if not newest.records:
        screen.print("nothing was measured: the run ended before its first case", style="yellow")
        raise typer.Exit(NOTHING_MEASURED)


def present(run: Run, screen: Console, json: str | None, plot: Path | None, book: bool) -> None:
    """A run as table, words, JSON and picture; the picture's paths come last."""
    if any(record.ranks for record in run.records):
        _present_scaling(run, screen, json, plot)
        return
    from benchmarks.views import tables
    from benchmarks.views.transfers import transfers
    from minisgd import published as textbook
    from minisgd.common.tables.to_terminal import to_terminal

    workload = run.records[0].workload if run.records else "gemm"
    if workload == "gemm":
        screen.print(to_terminal(tables.results(run, textbook.GFLOPS if book else ())))
    else:
        screen.print(to_terminal(tables.epochs(run) if workload == "sgd" else transfers(run)))
    if book:
        screen.print(f"The book's figures are put on the right flop count: x {textbook.CORRECTION:.3f}. {textbook.URL}")
    if workload == "gemm":
        screen.print(to_terminal(tables.legend(run)))
    for sentence in tables.sentences(run):
        screen.print(sentence)
    from minisgd.common.terminal import write_json

    write_json(run, json)
    if plot and workload != "transfer":
        from benchmarks.views import pictures

        draw(pictures.epochs(run) if workload == "sgd" else pictures.products(run), plot, screen)


def _present_scaling(run: Run, screen: Console, json: str | None, plot: Path | None) -> None:
    """A run of several ranks, with its model if it is one of SGD."""
    from benchmarks.scaling import model
    from benchmarks.views import scaling, scaling_pictures
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import write_json

    fitted = model.fit(run)
    tables = [scaling.strong(run), scaling.weak(run), *scaling.modelled(fitted)]
    for table in tables:
        if table.rows:
            screen.print(to_terminal(table))
    for sentence in [*scaling.sentences(run), *scaling.reasons(fitted, run)]:
        screen.print(sentence)
    write_json({"run": run.model_dump(mode="json"), "model": [each.kept() for each in fitted]}, json)
    if plot:
        draw(scaling_pictures.measured(run).figure(), plot, screen)
        if fitted:
            draw(scaling_pictures.paying(fitted).figure(), plot.with_name(f"{plot.name}-paying"), screen)


def draw(figure: Figure, prefix: Path, screen: Console) -> None:
    """Save a picture and print where it is."""
    from minisgd.common import pictures

    for path in pictures.save(figure, prefix):
        screen.print(str(path), soft_wrap=True)
