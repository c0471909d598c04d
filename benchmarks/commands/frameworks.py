"""``python -m benchmarks frameworks``: the textbook's experiment in every framework, in three columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import RUNS, TIMEOUT_S, Json, Runs, Timeout
from benchmarks.commands.warning import warn
from minisgd.common.cli import NOTHING_MEASURED, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from benchmarks.frameworks import columns
    from benchmarks.frameworks.columns import Columns, Made
    from benchmarks.frameworks.environments import Environment
    from benchmarks.frameworks.table import Framework
    from benchmarks.harness.records import Run

FOLDER = Path(".frameworks")


def frameworks(
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A framework; repeatable.")] = None,
    preset: Annotated[str, typer.Option(help="quick: every rung; d2l: the textbook's, and its own way of timing.")] = "quick",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be installed, and install nothing.")] = False,
    environments: Annotated[
        Path, typer.Option(metavar="DIR", envvar="MINISGD_FRAMEWORKS", help="Folder that keeps the environments.")
    ] = FOLDER,
    timeout: Timeout = TIMEOUT_S,
    runs: Runs = RUNS,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure the textbook's products and epochs in every framework, each in an environment and a process of its own.

    Example: python -m benchmarks frameworks --only mxnet --preset d2l
    """
    from benchmarks.commands.run import conclude
    from benchmarks.frameworks import experiment
    from benchmarks.frameworks.columns import Made
    from benchmarks.frameworks.environments import Missing
    from benchmarks.frameworks.table import FRAMEWORKS
    from benchmarks.harness.checkout import require_clone
    from minisgd.common.terminal import console, require_writable, write_json

    for name in only or []:
        if name not in FRAMEWORKS:
            raise UsageError(f"--only {name}: expected {', '.join(FRAMEWORKS)}")
    if preset not in experiment.PRESETS:
        raise UsageError(f"--preset {preset}: expected {' or '.join(experiment.PRESETS)}")
    screen = console(json)
    wanted = [FRAMEWORKS[name] for name in only or FRAMEWORKS]
    if dry_run:
        say_what_is_missing(wanted, environments, screen)
        return
    require_clone("frameworks")
    require_writable(runs)
    found: dict[Framework, Environment | None] = {}
    made = []
    with screen.status("looking for the frameworks") as status:
        for framework in wanted:
            try:
                found[framework], told = experiment.ready(framework, environments, status.update)
            except Missing as reason:
                screen.print(f"{framework.name}: {reason}", style="yellow")
                told = Made(name=framework.name, reason=str(reason))
            made.append(told)
    if not found:
        screen.print("nothing to measure")
        raise typer.Exit(NOTHING_MEASURED)
    run, columns, complaint = measure(found, made, preset, timeout, runs, screen)
    present(run, columns, screen)
    write_json(columns, json)
    conclude(run, complaint)


def say_what_is_missing(wanted: list[Framework], folder: Path, screen: Console) -> None:
    """Each framework, and what installing it takes."""
    from benchmarks.frameworks.environments import made, pinned

    for framework in wanted:
        if not framework.apart:
            screen.print(f"{framework.name}: in this interpreter, nothing to install")
        elif there := made(framework, folder):
            screen.print(f"{framework.name}: in {folder / framework.name}, {there.megabytes:.0f} MB")
        else:
            listed = ", ".join(f"{name} {version}" for name, version in pinned(framework).items())
            screen.print(f"{framework.name}: would be installed in {folder / framework.name}, {framework.megabytes} MB: {listed}")


def measure(
    found: dict[Framework, Environment | None], made: list[Made], preset: str, timeout_s: float, folder: Path, screen: Console
) -> tuple[Run, Columns, OSError | None]:
    """The run and what stands beside it, both kept on disk; why not, if that is full."""
    from benchmarks.commands.keeping import Keeping
    from benchmarks.frameworks import columns, experiment
    from benchmarks.harness import records, runs
    from minisgd.common.terminal import progress

    warn(screen)
    chosen = experiment.PRESETS[preset]
    cases = experiment.chosen(found, chosen)
    path, keeping = records.fresh(folder, "frameworks"), Keeping()
    versions = {
        backend: where.versions
        for framework, where in found.items()
        if where
        for backend in (*framework.backends, framework.name)
    }

    def keep(run: Run) -> None:
        keeping.save(labelled(run, versions), path)

    with progress(screen, (len(cases) + 1) * chosen.rounds + 2 * len(found) * chosen.textbook) as advance:
        its_way: columns.ItsWay = {}
        curves: list[columns.Curve] = []
        for framework, where in found.items():
            if chosen.textbook:
                its_way[framework.name], some = beside(framework, where, advance, screen)
                curves += some
        run = runs.execute(
            cases,
            budget_s=chosen.budget_s,
            timeout_s=timeout_s,
            rounds=chosen.rounds,
            case_s=chosen.case_s,
            advance=advance,
            keep=keep,
            home=experiment.homes(found),
        )
    run = labelled(run, versions)
    names = [framework.name for framework in found]
    losses = {(each.framework, each.run): each.losses[-1] for each in curves}
    result = columns.Columns(
        environments=made,
        products=columns.products(run, its_way, names),
        training=columns.training(run, its_way, losses, names),
        curves=curves,
        paces=columns.paces(run),
    )
    keeping.save(result, path.with_suffix(".columns"))
    if not keeping.complaint:
        screen.print(f"run kept in {path}")
    return run, result, keeping.complaint


def beside(
    framework: Framework, where: Environment | None, advance: Callable[[str], None], screen: Console
) -> tuple[columns.Timed, list[columns.Curve]]:
    """The textbook's cells in its own way, if it has any, and the losses; a line for what dies of them."""
    from benchmarks.frameworks import experiment
    from benchmarks.harness.workers import WorkerFailure

    timed: columns.Timed = ({}, {})
    curves: list[columns.Curve] = []
    try:
        with experiment.worker(framework, where) as asked:
            advance(f"{framework.name}, the textbook's way")
            if framework.tab:
                timed = experiment.its_way(asked, framework.tab)
            advance(f"{framework.name}, losses")
            curves = experiment.curves(asked, framework)
    except WorkerFailure as failure:
        screen.print(f"{framework.name}: {failure}", style="yellow")
    return timed, curves


def labelled(run: Run, versions: dict[str, dict[str, str]]) -> Run:
    """The run, with each record's library versions where they are not this interpreter's."""
    records = [
        each.model_copy(update={"libraries": versions[each.backend]}) if versions.get(each.backend) else each
        for each in run.records
    ]
    return run.model_copy(update={"records": records})


def present(run: Run, found: Columns, screen: Console) -> None:
    """The run's own tables, the three columns, and what their differences are made of."""
    from benchmarks.commands.show import present as present_run
    from benchmarks.frameworks import sentences
    from benchmarks.views import frameworks as views
    from minisgd.common.tables.to_terminal import to_terminal

    for workload in ("gemm", "sgd"):
        part = [each for each in run.records if each.workload == workload]
        if part:
            present_run(run.model_copy(update={"records": part}), screen, None, None, book=False)
    for made in (views.products(found), views.training(found), views.paces(found.paces), views.environments(found)):
        screen.print(to_terminal(made))
    for sentence in sentences.said(found):
        screen.print(sentence)
