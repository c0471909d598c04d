"""``python -m benchmarks gate``: whether a commit made something slower."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.options import Device, Json
from benchmarks.commands.warning import warn
from minisgd.common.cli import INTERRUPTED, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from benchmarks.gate.calibration import Calibration
    from benchmarks.gate.choosing import Chosen
    from benchmarks.gate.judging import Trial
    from benchmarks.gate.outcome import Outcome
    from benchmarks.gate.sides import Pair

SECONDS_A_BENCHMARK = 50
"""Default budget: ten minutes for twelve."""

SKIP = 125
"""Exit status at which ``git bisect run`` leaves a commit out; whatever else is neither 0 nor 128 and more it takes for bad."""

DOCS = Path("docs")
CALIBRATION = DOCS / "gate.json"

UNITS = {"s": 1, "m": 60, "h": 3600}


def gate(
    base: Annotated[str, typer.Argument(help="Commit to compare with.")] = "HEAD",
    head: Annotated[str | None, typer.Argument(help="Commit to judge; the working tree, if left out.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Benchmarks or kernels, such as 'numba/*'; repeatable.")
    ] = None,
    min_effect: Annotated[str, typer.Option(metavar="PERCENT", help="The smallest change that matters.")] = "3%",
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="Such as 10m; 50 s a benchmark, if left out.")] = None,
    device: Device = "cpu",
    every: Annotated[bool, typer.Option("--all", help="Also benchmarks that the change cannot affect.")] = False,
    json: Json = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="A comment for a pull request.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="A report for a CI.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure the gate's own error rates, for docs/gate.md.")] = False,
    tool: Annotated[str, typer.Option(help="With --calibrate: gate, asv or pytest-benchmark.")] = "gate",
    as_is: AsIs = False,
    bisect: Annotated[bool, typer.Option("--bisect", help="For git bisect run: what is no verdict is 125, skip.")] = False,
) -> None:
    """Compare two commits in lock-step, in fresh processes; name what got slower, and stay silent when nothing did.

    Exit status: 0 nothing got slower; 1 something did, or failed; 3 something is inconclusive; 4 nothing was measured.
    With --bisect the status is 125 without a verdict: inconclusive, nothing measured, or a commit that cannot be measured.

    Example: python -m benchmarks gate main --only 'numba/*' --markdown comment.md
    """
    from benchmarks.gate import alone, budgets
    from benchmarks.harness import devices, records
    from benchmarks.harness.workers import WorkerFailure
    from benchmarks.views import operating, verdicts
    from minisgd.common.terminal import console, write_json

    devices.check([device])
    asked = _Asked(only or [], percent(min_effect), duration(budget) if budget else None, device, every)
    most, known = budgets.load(), _calibration()  # what cannot be read is told now, not when all is measured
    require_files({"--json": Path(json) if json is not None and json != "-" else None, "--markdown": markdown, "--junit": junit})
    screen, lock = console(json), alone.take()
    warn(screen)
    _end_as_interrupted()
    try:
        if calibrate:
            _calibrate(screen, known, tool, base, only, asked.effect, asked.budget_s)
            return
        outcome, interrupted = _compare(base, head, asked, most, screen)
    except WorkerFailure as failure:
        raise UsageError(f"a side cannot be measured by this harness: {failure}; expected a newer commit") from None
    finally:
        lock.release()
    _show(outcome, screen)
    write_json(outcome, json)
    if markdown:
        records.write(markdown, verdicts.markdown(outcome, operating.alarms(known)))
    if junit:
        records.write(junit, verdicts.junit(outcome))
    raise typer.Exit(INTERRUPTED if interrupted else outcome.status)


@dataclass(frozen=True)
class _Asked:
    """What the options ask: which benchmarks, for what change, in how many seconds (None: so many a benchmark)."""

    only: Sequence[str]
    effect: float
    budget_s: float | None
    device: str
    every: bool


def _compare(
    base: str, head: str | None, asked: _Asked, most: Mapping[str, Mapping[str, float]], screen: Console
) -> tuple[Outcome, bool]:
    """Judge head against base; whether it was interrupted, too: then the outcome is of the blocks that are finished."""
    import random
    import time

    from benchmarks.gate import choosing, judging, sides
    from benchmarks.gate.outcome import Change, Outcome
    from benchmarks.harness.host import machine

    with sides.prepared(base, head, lambda text: screen.print(text, markup=False)) as pair:
        chosen = _choose(pair, asked, screen)
        trials = [judging.Trial(case) for case in chosen.cases]
        limit_s, start, interrupted = asked.budget_s or SECONDS_A_BENCHMARK * len(trials), time.monotonic(), False
        try:
            _watch(screen, trials, lambda advance: judging.decide(
                trials, pair.base, pair.head, asked.effect, limit_s, random.Random(), advance
            ))  # fmt: skip
        except KeyboardInterrupt:
            interrupted = True
        seconds = time.monotonic() - start
    changes = [
        Change(kernel=kernel, figure=figure, base=one, head=other, most=most.get(kernel, {}).get(figure))
        for kernel, figure, one, other in choosing.differences(chosen.probed)
    ]
    return Outcome(
        base=pair.commits["base"], head=pair.commits["head"], min_effect=asked.effect, budget_s=limit_s, seconds=seconds,
        machine=machine.describe(), rows=[judging.row(trial) for trial in trials], changes=changes, left_out=chosen.left_out,
    ), interrupted  # fmt: skip


def _choose(pair: Pair, asked: _Asked, screen: Console) -> Chosen:
    """The benchmarks to measure, with the kernel that is looked at on the screen."""
    from rich.markup import escape

    from benchmarks.gate import choosing

    with screen.status("looking at what the change can touch") as status:
        return choosing.choose(
            pair.base, pair.head, pair.changed, asked.only, asked.every or pair.apart,
            lambda kernel, total: status.update(escape(f"looking at {kernel}, of {total} kernels")), asked.device,
        )  # fmt: skip


def _show(outcome: Outcome, screen: Console) -> None:
    """Print the table, if there is one, and what is to be said of it."""
    from benchmarks.views import verdicts
    from minisgd.common.tables.to_terminal import to_terminal

    if outcome.rows:
        screen.print(to_terminal(verdicts.table_of(outcome.rows)))
    for sentence in verdicts.sentences(outcome):
        screen.print(sentence, markup=False)


def require_files(files: dict[str, Path | None]) -> None:
    """Fail before measuring for minutes, not after, if an option's file cannot be written.

    Raises
    ------
    UsageError
        If there is something else in its place, or it or its folder is protected.
    """
    from minisgd.common.terminal import require_writable

    for option, path in files.items():
        if path is None:
            continue
        try:
            if path.exists() and not path.is_file() and (path.is_dir() or option != "--json"):  # JSON may go to a pipe
                raise UsageError("not a file; expected the name of one to write")
            if path.is_file() and not os.access(path, os.W_OK):
                raise UsageError("protected; expected a file that can be written")
            if path.is_file() or not path.exists():
                require_writable(path.parent)
        except (OSError, UsageError) as error:
            raise UsageError(f"{option} {path}: {error}") from None


def for_bisect(status: int) -> int:
    """An exit status as ``git bisect run`` is to read it: good, bad, skip, or stop from 128 on.

    Examples
    --------
    >>> [for_bisect(status) for status in (0, 1, 2, 3, 4, 130)]
    [0, 1, 125, 125, 125, 130]
    """
    return SKIP if 1 < status < 128 else status


def _end_as_interrupted() -> None:
    """End as at Ctrl-C when a job is cancelled or a terminal is closed: nothing is left behind then either."""
    import signal

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number and signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks to go on
            signal.signal(number, signal.default_int_handler)


def _calibrate(
    screen: Any, known: Calibration, tool: str, commit: str, only: list[str] | None, effect: float, budget_s: float | None
) -> None:
    """Add a round of a tool to what is known, under the load that has fewer, and draw and write the page anew."""
    from benchmarks.commands.show import draw
    from benchmarks.gate import calibration, others
    from benchmarks.gate.operating import LOADS
    from benchmarks.harness import records
    from benchmarks.views import operating

    if tool not in ("gate", *others.TOOLS):
        raise UsageError(f"--tool {tool}: expected gate, {' or '.join(others.TOOLS)}")
    if tool != "gate" and not known.gates:
        raise UsageError(f"--tool {tool}: {CALIBRATION} has nothing to put beside it; calibrate the gate itself first")
    patterns = only or calibration.BENCHMARKS
    before = [one.load for one in known.gates] if tool == "gate" else [one.load for one in known.others if one.tool == tool]
    load = min(LOADS, key=before.count)
    with screen.status(f"a round of {tool}, {LOADS[load]}") as status:
        kept: list[Any]
        found: Any
        if tool == "gate":
            kept, found = known.gates, calibration.measure(
                commit, patterns, effect, load, budget_s or SECONDS_A_BENCHMARK * len(patterns),
                lambda slowdown, undecided, case: status.update(
                    f"{load}, +{100 * slowdown:g} %: {undecided} undecided; now {case.title}"
                ),
            )  # fmt: skip
        else:
            kept, found = known.others, others.measure(
                tool, commit, patterns, load, lambda slowdown: status.update(f"{tool}, {load}, +{100 * slowdown:g} %")
            )  # fmt: skip
        for one in found:
            kept.append(one)
            records.save(known, CALIBRATION)
    draw(operating.picture(known), DOCS / "gate", screen)
    text = operating.markdown(known, "gate.svg")
    records.write(DOCS / "gate.md", text)
    screen.print(text, markup=False)


def _calibration() -> Calibration:
    """The rounds so far."""
    from benchmarks.gate.calibration import Calibration
    from benchmarks.harness import records

    return records.read(CALIBRATION, Calibration, "gate --calibrate") if CALIBRATION.exists() else Calibration()


def _watch(screen: Any, trials: Sequence[Trial], decide: Any) -> None:
    """Show the table as blocks come in."""
    from rich.live import Live

    from benchmarks.gate.judging import row
    from benchmarks.views import verdicts
    from minisgd.common.tables.to_terminal import to_terminal

    # Redrawn between benchmarks only: drawing costs processor time beside what is measured.
    with Live(console=screen, auto_refresh=False, transient=True) as live:

        def advance(case: Any) -> None:
            waiting = sum(trial.open for trial in trials)
            made = verdicts.table_of([row(trial) for trial in trials], f"{waiting} undecided; now {case.title}")
            live.update(to_terminal(made), refresh=screen.is_terminal)

        decide(advance)


def percent(text: str) -> float:
    """A share from "3%".

    Examples
    --------
    >>> percent("3%"), percent("0.5 %")
    (0.03, 0.005)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text.strip())
    if not found or not 0 < float(found[1]) < 100:
        raise UsageError(f"--min-effect {text}: expected a percentage above 0, such as 3%")
    return float(found[1]) / 100


def duration(text: str) -> float:
    """Seconds from "90s", "10m" or "1h".

    Examples
    --------
    >>> duration("10m"), duration("90s")
    (600.0, 90.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip())
    if not found or float(found[1]) == 0:
        raise UsageError(f"--budget {text}: expected a time such as 10m, 90s or 1h")
    return float(found[1]) * UNITS[found[2]]
