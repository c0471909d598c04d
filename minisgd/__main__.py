"""``python -m minisgd``: train, experiment, look at the data. A command imports what it needs when it runs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

try:
    import typer
except ModuleNotFoundError:
    from minisgd.common.cli import without_typer

    sys.exit(without_typer(__doc__ or ""))

from minisgd.common import cli
from minisgd.common.cli import FAILED, INTERRUPTED, UsageError
from minisgd.common.environment import AsIs, tell
from minisgd.common.options import Json
from minisgd.experiments import EXPERIMENTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Console

    from minisgd.common.plates import Label, Panel
    from minisgd.train import History

app = typer.Typer(
    help="Minibatch SGD on the airfoil data.\n\nExample: python -m minisgd experiment book",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Data = Annotated[str, typer.Option("--data", help="airfoil, linear or logistic.")]
DataPath = Annotated[
    Path | None,
    typer.Option("--path", metavar="FILE", help="Another copy of the airfoil file; the one shipped, if left out."),
]


@app.command()
def train(
    data: Data = "airfoil",
    path: DataPath = None,
    step: Annotated[str, typer.Option(help="An implementation, such as numba-fused, numpy or torch.")] = "numba-fused",
    batch_size: Annotated[int, typer.Option(help="Examples a step.")] = 10,
    lr: Annotated[float, typer.Option(help="Learning rate of the first epoch.")] = 0.05,
    epochs: Annotated[int, typer.Option()] = 2,
    schedule: Annotated[str, typer.Option(help="constant, decay, inverse or polynomial.")] = "constant",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    seed: Annotated[int, typer.Option(help="Of the visiting orders.")] = 0,
    replacement: Annotated[bool, typer.Option("--replacement", help="Draw examples with replacement.")] = False,
    drop_last: Annotated[bool, typer.Option("--drop-last", help="Leave out a last batch that is short.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw loss against time.")] = None,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Train a linear model by minibatch SGD.

    Example: python -m minisgd train --step numba-fused --batch-size 10 --lr 0.05 --epochs 2 --plot loss.png
    """
    from minisgd.common.tables.description import Cell, Column, Table
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, require_file
    from minisgd.data import load
    from minisgd.train import Diverged, History, Settings
    from minisgd.train import train as run

    screen = console(json)
    if plot:
        require_file("--plot", plot)
    problem = load(data, path)
    tell(screen)
    settings = Settings(step, batch_size, lr, epochs, schedule, dtype, seed, replacement, drop_last)
    history, end = History(problem.name, len(problem.x), settings, problem.floor), 0
    try:
        with progress(screen, epochs + 1) as advance:

            def watch(so_far: History) -> None:
                nonlocal history
                history = so_far
                advance(f"epoch {len(so_far.points) - 1}")

            run(problem, settings, watch)
    except Diverged as error:
        screen.print(f"error: {error}", style="red")
        end = FAILED
    except KeyboardInterrupt:
        screen.print("interrupted; the history so far is kept")
        end = INTERRUPTED
    columns = [Column("epoch"), Column("examples"), Column("seconds", "s"), Column("loss"), Column("above the floor", "%")]
    made = Table(columns, f"{step} on {problem.name}")
    for number, point in list(enumerate(history.points))[-12:]:
        above = None if problem.floor is None else 100 * (point.loss / problem.floor - 1)
        examples, loss = Cell(point.examples, f"{point.examples:,}"), Cell(point.loss, f"{point.loss:.6f}")
        made.add(number, examples, point.seconds, loss, Cell(above, "" if above is None else f"{above:.2f} %"))
    screen.print(to_terminal(made))
    keep(history, json, plot, screen)
    if end:
        raise typer.Exit(end)


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help=", ".join(f"{name}: {each.asks}" for name, each in EXPERIMENTS.items()))],
    data: Data = "airfoil",
    path: DataPath = None,
    plot: Annotated[Path | None, typer.Option(metavar="PREFIX", help="Picture; .runs/NAME if left out.")] = None,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Answer a claim or an exercise of the chapter with a table, a picture and a sentence.

    Example: python -m minisgd experiment batch-size
    """
    from minisgd.common.pictures import save
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, require_file, write_json
    from minisgd.data import load

    if name not in EXPERIMENTS:
        raise UsageError(f"unknown experiment {name!r}: expected {', '.join(EXPERIMENTS)}")
    prefix = plot or Path(".runs") / name
    require_file("--plot", Path(f"{prefix}.png"))
    chosen, screen = EXPERIMENTS[name], console(json)
    problem = load(data, path)
    tell(screen)
    with progress(screen, chosen.steps) as advance:
        finding = chosen.run(problem, advance)
    screen.print(to_terminal(finding.table))
    for sentence in finding.sentences:
        screen.print(sentence)
    write_json({"experiment": name, "problem": problem.name, "source": problem.source} | finding.kept(), json)
    for file in save(finding.figure, prefix):
        screen.print(str(file), soft_wrap=True)


@app.command("data")
def show_data(path: DataPath = None) -> None:
    """Say what data is shipped, whose it is, under which licence, and whether its hash is right.

    Example: python -m minisgd data
    """
    from minisgd.common.terminal import console
    from minisgd.data import LICENCE, SHA256, SOURCE, airfoil

    problem, screen = airfoil(path), console(None)  # a file of another hash is refused
    screen.print(f"airfoil: {problem.source}", soft_wrap=True)
    screen.print(f"  source: {SOURCE}", soft_wrap=True)
    screen.print(f"  licence: {LICENCE}", soft_wrap=True)
    screen.print(f"  sha256: {SHA256}, which is right", soft_wrap=True)
    screen.print(f"  {len(problem.x):,} examples of {problem.x.shape[1]}, whitened; the least loss is {problem.floor:.6f}")


def keep(history: History, json: str | None, plot: Path | None, screen: Console) -> None:
    """Save a history and its picture, if asked for."""
    from minisgd.common.terminal import write_json

    write_json(asdict(history), json)
    if plot:
        from minisgd.common.pictures import save_as
        from minisgd.common.plates import Plate

        save_as(Plate([trained(history)], f"{history.settings.step} on {history.problem}").figure(), plot)
        screen.print(str(plot), soft_wrap=True)


def trained(history: History) -> Panel:
    """Loss over the time of training, above the least loss where that is known."""
    from minisgd.common.plates import INK, Label, Panel

    def draw(axes: Axes) -> list[Label]:
        axes.plot([point.seconds for point in history.points], [point.loss for point in history.points], marker="o")
        axes.set(xlabel="seconds of training, evaluation left out", ylabel="loss")
        if history.floor is None:
            return []
        axes.axhline(history.floor, color=INK, linestyle="--", linewidth=1)
        return [Label(axes.get_xlim()[1], history.floor, f"least: {history.floor:.4f}", edge=True)]

    return Panel(draw, (7, 4.6))


def main() -> int:
    """Run a command; bad input is one line and status 2."""
    return cli.run(app, "python -m minisgd")


if __name__ == "__main__":
    sys.exit(main())
