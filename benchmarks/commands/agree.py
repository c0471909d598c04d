"""``python -m benchmarks agree``: the same cases by run, asv and pytest-benchmark, side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.commands.options import Json
from benchmarks.commands.warning import warn
from minisgd.common.cli import FAILED, UsageError
from minisgd.common.environment import AsIs

ONLY = ("*/full-256-float32-x1", "numba/tiled-64-float32-x1", "numba/tiled-512-float64-x1", "numba-fused-*-batch1*0-float32-x1")


def agree(
    only: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Cases of the tracked grid; repeatable.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each tool; six give an interval.")] = 6,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure the same cases with the three tools in turn, and say whether their intervals overlap.

    Example: python -m benchmarks agree --only 'numba/*-256-float32-x1'
    """
    from fnmatch import fnmatchcase

    from benchmarks import tracked
    from benchmarks.harness.checkout import require_clone
    from benchmarks.trackers import agreement
    from minisgd.common.tables.description import Cell, Column, Table, interval, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, write_json
    from minisgd.common.units import seconds

    require_clone("agree")
    screen = console(json)
    with screen.status("loading numpy, numba and torch"):
        every = [case for workload in ("gemm", "sgd") for case in tracked.all_cases(workload)]
    cases = [case for case in every if any(fnmatchcase(case.title, pattern) for pattern in only or ONLY)]
    if not cases:
        raise UsageError(f"--only {' '.join(only or ())}: no such case is tracked; one is {every[0].title}")
    warn(screen)
    with progress(screen, rounds * len(agreement.TOOLS)) as advance:
        found = agreement.compare(cases, rounds, advance)
    times = [Column(heading, "s") for tool in agreement.TOOLS for heading in (tool, "interval")]
    made = Table([words("case"), *times, Column("agree")])
    for title, by_tool in found.items():
        cells = [cell for middle, low, high in by_tool.values() for cell in (middle, interval(low, high, seconds))]
        made.add(title, *cells, "yes" if agreement.agree(list(by_tool.values())) else Cell("no", style="bad"))
    screen.print(to_terminal(made))
    apart = [title for title, by_tool in found.items() if not agreement.agree(list(by_tool.values()))]
    screen.print(f"{len(found) - len(apart)} of {len(found)} cases: all three intervals overlap.")
    write_json(found, json)
    if apart:
        raise typer.Exit(FAILED)
