"""``python -m benchmarks tour``: what explains this machine, in minutes: measured, found, and put on a page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import ASV, RUNS, TIMEOUT_S, Runs, Timeout
from benchmarks.commands.warning import warn
from minisgd.common.cli import FAILED, INTERRUPTED, TRACEBACK, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.harness.records import Run
    from benchmarks.report.sources import Sources
    from minisgd.common.terminal import Advance

PYTEST = Path(".benchmarks")
"""Where pytest-benchmark keeps what it has measured."""

BUDGET_S = 0.02
"""Seconds of samples of a case in a round: five of the shortest samples. The rounds decide the interval."""

KEEP_S = 2.0
"""Seconds between writing the runs so far: to write hundreds of records takes longer than to measure a case."""

DRAWING_S = 11.0
"""About how many seconds the page takes."""

Begin = Callable[[int], "Advance"]
"""Takes the number of a part's steps; returns what to call before each."""


@dataclass(frozen=True)
class Part:
    """A part of the tour.

    Parameters
    ----------
    name : str
    about_s : tuple of float
        Seconds that it takes, more or less: its shares of the bar, one for each time that it begins steps.
    work : callable
        Does it, and gives a line on each thing that failed.
    """

    name: str
    about_s: tuple[float, ...]
    work: Callable[[Begin], Iterator[str]]


def tour(
    show: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    timeout: Timeout = TIMEOUT_S,
    runs: Runs = RUNS,
    as_is: AsIs = False,
) -> None:
    """Measure products, epochs, tiles and the chapter's experiments, in minutes; end with three findings and a page.

    A part that fails costs a line and status 1. What is finished stays, however this ends.

    Example: python -m benchmarks tour --open
    """
    from benchmarks.commands.report import open_in_browser
    from minisgd.common.terminal import console, progress_of_parts, require_writable

    screen, failed = console(None), False
    require_writable(runs)
    warn(screen)
    before = parts(runs, timeout)
    try:
        with progress_of_parts(screen, sum(chain.from_iterable(each.about_s for each in before)) + DRAWING_S) as go:
            start = 0.0
            for part in before:
                for line in attempted(part, stretches(go, start, part.about_s)):
                    screen.print(f"{part.name}: {line}", style="red", soft_wrap=True)
                    failed = True
                start += sum(part.about_s)
            advance = go(start, start + DRAWING_S, 2)
            advance("reading what there is")
            sources, files, complaint = gathered(runs, screen)
            advance("drawing the page")
            made = drawn(sources, files, runs)
    except KeyboardInterrupt:
        screen.print(f"interrupted; what was finished is kept in {runs}")
        raise typer.Exit(INTERRUPTED) from None
    if complaint:
        screen.print(complaint, style="red", soft_wrap=True)
    conclude(sources, made, screen)
    if show:
        open_in_browser(made, screen)
    if failed or complaint:
        raise typer.Exit(FAILED)


def parts(folder: Path, timeout_s: float) -> list[Part]:
    """What there is to do before the page can be drawn."""
    return [
        Part("products and epochs", (50.0, 110.0), partial(measure, folder, timeout_s)),
        Part("batch-size", (7.0,), partial(experiment, "batch-size", folder)),
        Part("book", (11.0,), partial(experiment, "book", folder)),
        Part("noise", (1.0,), partial(experiment, "noise", folder)),
    ]


def stretches(go: Callable[[float, float, int], Advance], start: float, shares: Sequence[float]) -> Begin:
    """Begins the next of a part's stretches of the bar, the first of which begins at `start`."""
    ends = pairwise(accumulate(shares, initial=start))
    return lambda steps: go(*next(ends), steps)


def attempted(part: Part, begin: Begin) -> Iterator[str]:
    """Do a part; what it raises is a line, since the others do not need it."""
    try:
        yield from part.work(begin)
    except Exception as error:  # a part runs every backend, which may raise anything
        if os.environ.get(TRACEBACK):
            raise
        yield f"failed: {type(error).__name__}: {error}"


def measure(folder: Path, timeout_s: float, begin: Begin) -> Iterator[str]:
    """Measure all cases as one run, and keep them as a run of each kind; a line for each case that failed.

    One run has every worker and ceiling once a round, where one of each kind would have them again.
    """
    from benchmarks.harness import itinerary, records, runs

    kinds = itinerary.kinds()
    cases = list(dict.fromkeys(chain(*kinds.values())))
    paths = {kind: records.fresh(folder, kind) for kind in kinds}
    latest: Run | None = None
    written_s = 0.0

    def write() -> None:
        for kind, mine in kinds.items():
            titles = {case.title for case in mine}
            found = [record for record in latest.records if record.title in titles] if latest else []
            if latest and found:
                records.save(latest.model_copy(update={"records": found}), paths[kind])

    def keep(run: Run) -> None:
        nonlocal latest, written_s
        latest = run
        if time.monotonic() - written_s > KEEP_S:
            with suppress(OSError):  # a full disk: it may be freed, and the last writing tells if not
                write()
            written_s = time.monotonic()

    try:
        runs.execute(cases, budget_s=BUDGET_S, timeout_s=timeout_s, advance=by_rounds(begin, len(cases) + 1), keep=keep)
    finally:
        write()
    for record in latest.records if latest else ():
        if record.failure:
            yield f"{record.title}: {record.failure}"


def by_rounds(begin: Begin, steps: int) -> Advance:
    """What to call before each step of all rounds: the first has a share of the bar of its own, since it loads and compiles."""
    from benchmarks.harness import runs

    done, current = 0, begin(steps)

    def advance(doing: str) -> None:
        nonlocal done, current
        if done == steps:
            current = begin(steps * (runs.ROUNDS - 1))
        current(f"round {done // steps + 1} of {runs.ROUNDS}: {doing}")
        done += 1

    return advance


def experiment(name: str, folder: Path, begin: Begin) -> Iterator[str]:
    """Run one of the chapter's experiments on its data, and keep what it found."""
    from minisgd.common.files import as_json, write
    from minisgd.data import load
    from minisgd.experiments import EXPERIMENTS

    problem, asked = load("airfoil", None), EXPERIMENTS[name]
    advance = begin(asked.steps)
    found = asked.run(problem, lambda doing: advance(f"experiment {name}: {doing}"))
    kept = {"experiment": name, "problem": problem.name, "source": problem.source} | found.kept()
    write(folder / f"{name}.json", as_json(kept))
    return iter(())


def gathered(folder: Path, screen: Console) -> tuple[Sources, dict[Path, str], str]:
    """What the page is made from, and a line on the history, if that could not be read.

    That is the newest run of each kind, and what asv and pytest-benchmark have measured in this checkout.
    """
    from benchmarks.commands.report import newest, read

    stored = sorted(PYTEST.glob("*/*.json"), key=lambda path: path.stat().st_mtime)
    history = {"--asv": [ASV] if ASV.is_dir() else [], "--pytest": stored[-1:]}
    measured = {"--run": newest(folder)}
    compared = max(folder.glob("*-frameworks.columns"), default=None)
    try:
        return *read(measured | history, compared, folder / "report", screen), ""
    except UsageError as error:
        return *read(measured, compared, folder / "report", screen), f"history: left out: {error}"


def drawn(sources: Sources, files: dict[Path, str], folder: Path) -> Path:
    """The page."""
    from benchmarks.report import page

    return page.save(sources, files, folder / "report")


def conclude(sources: Sources, page: Path, screen: Console) -> None:
    """What was found, and where it is explained."""
    from benchmarks.report.findings import findings, machines

    for each in machines(sources):
        screen.print(each.text, soft_wrap=True)
    for number, each in enumerate(findings(sources), start=1):
        screen.print(f"{number}. {each.text}", soft_wrap=True)
    screen.print(f"The page that explains them: {page}", soft_wrap=True)
