"""``python -m benchmarks gate``: whether a commit made something slower."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import Device, Json
from benchmarks.commands.warning import warn
from minisgd.common.cli import INTERRUPTED, UsageError
from minisgd.common.environment import AsIs

SKIP = 125
"""Exit status at which ``git bisect run`` leaves a commit out; whatever else is neither 0 nor 128 and more it takes for bad."""


Only = Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Benchmarks or kernels, such as 'numba/*'; repeatable.")]
Budget = Annotated[str | None, typer.Option(metavar="TIME", help="Such as 10m; 50 s a benchmark, if left out.")]
Repo = Annotated[
    Path | None, typer.Option(metavar="PATH", help="A clone whose entry points bring kernels or steps; else this suite.")
]
Tests = Annotated[Path | None, typer.Option(metavar="FILE", help="Tests with pytest-benchmark's fixture, in a clone.")]
Find = Annotated[bool, typer.Option("--find", help="BASE HEAD is BAD GOOD: name the first bad commit between them.")]
Calibrate = Annotated[bool, typer.Option("--calibrate", help="Measure the gate's own error rates, for docs/gate.md.")]
Bisect = Annotated[bool, typer.Option("--bisect", help="For git bisect run: what is no verdict is 125, skip.")]


def gate(
    base: Annotated[str, typer.Argument(help="Commit to compare with.")] = "HEAD",
    head: Annotated[str | None, typer.Argument(help="Commit to judge; the working tree, if left out.")] = None,
    only: Only = None,
    min_effect: Annotated[str, typer.Option(metavar="PERCENT", help="The smallest change that matters.")] = "3%",
    budget: Budget = None,
    device: Device = "cpu",
    repo: Repo = None,
    pytest: Tests = None,
    every: Annotated[bool, typer.Option("--all", help="Also benchmarks that the change cannot affect.")] = False,
    find: Find = False,
    json: Json = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="A comment for a pull request.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="A report for a CI.")] = None,
    calibrate: Calibrate = False,
    tool: Annotated[str, typer.Option(help="With --calibrate: gate, asv or pytest-benchmark.")] = "gate",
    as_is: AsIs = False,
    bisect: Bisect = False,
) -> None:
    """Compare two commits in lock-step, in fresh processes; name what got slower, and stay silent when nothing did.

    Exit status: 0 nothing got slower; 1 something did, or failed; 3 something is inconclusive; 4 nothing was measured.
    With --bisect the status is 125 without a verdict: inconclusive, nothing measured, or a commit that cannot be measured.

    Example: python -m benchmarks gate main --only 'numba/*' --markdown comment.md
    """
    from benchmarks.commands.gating import asked, calibrating, comparing, finding
    from benchmarks.gate import alone, budgets
    from benchmarks.harness import devices
    from benchmarks.harness.workers import WorkerFailure
    from benchmarks.views import operating
    from minisgd.common.terminal import console, require_file, write_json

    devices.check([device])
    if repo and pytest:
        raise UsageError("--repo and --pytest: expected one of them; a file of tests is in a repository itself")
    options = asked.Asked(
        only or [], asked.percent(min_effect), asked.duration(budget) if budget else None, device, every, repo, pytest
    )
    most, known = budgets.load(), calibrating.known()  # what cannot be read is told now, not when all is measured
    for option, path in {"--markdown": markdown, "--junit": junit}.items():
        if path:
            require_file(option, path)
    screen, lock = console(json), alone.take()
    warn(screen)
    _end_as_interrupted()
    try:
        if calibrate:
            calibrating.calibrate(screen, known, tool, base, options)
            return
        compare = finding.find if find else comparing.compare
        outcome, interrupted = compare(base, head, options, most, screen)
    except WorkerFailure as failure:
        raise UsageError(f"a side cannot be measured by this harness: {failure}; expected a newer commit") from None
    finally:
        lock.release()
    comparing.show(outcome, screen)
    write_json(outcome, json)
    comparing.write(outcome, markdown, junit, operating.alarms(known))
    raise typer.Exit(INTERRUPTED if interrupted else outcome.status)


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
