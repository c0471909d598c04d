"""``python -m benchmarks inside``: what each part of numba/full brings."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.commands.options import Json
from benchmarks.commands.warning import warn
from minisgd.common.environment import AsIs


def inside(
    size: Annotated[str, typer.Option(metavar="N|MxNxP")] = "1024",
    dtype: Annotated[list[str] | None, typer.Option(help="float32 or float64; repeatable.")] = None,
    turns: Annotated[int, typer.Option(min=4, help="Of each stage.")] = 24,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure numba/full stage by stage: a naive microkernel, registers, packing, the tile model, threads.

    Example: python -m benchmarks inside --size 1024 --dtype float64
    """
    from benchmarks.harness import cases
    from benchmarks.harness.host.threads import CORES
    from benchmarks.inside import stages
    from kernels.registry import FLOATS
    from minisgd.common.tables.description import Cell, Column, Table, interval, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, write_json

    screen = console(json)
    cases.check_dtypes(dtype or [])
    shape = cases.parse_size(size)
    m, n, p = (shape[name] for name in "mnp")
    warn(screen)
    kept = []
    for each_dtype in dtype or FLOATS:
        with screen.status("compiling"):
            chosen = stages.stages(each_dtype, m, n, p, CORES)
        with progress(screen, turns * len(chosen)) as advance:
            found = list(stages.measure(chosen, each_dtype, m, n, p, turns, advance))
        made = Table([
            words("stage"), Column("threads"), Column("GFLOPS", "GFLOPS"), Column("quartiles", "GFLOPS"), Column("% peak", "%"),
            Column("x before"), words("what it adds"),
        ], f"numba/full, {size}, {each_dtype}")  # fmt: skip
        before: float | None = None
        for each in found:
            stage = each.stage
            share = Cell(None, "not reached") if each.percent_of_peak is None else each.percent_of_peak
            times = each.gflops / before if before else None
            made.add(stage.name, stage.threads, each.gflops, interval(each.low, each.high), share, times, stage.adds)
            kept.append({
                "size": size, "dtype": each_dtype, "stage": stage.name, "threads": stage.threads, "adds": stage.adds,
                "gflops": each.gflops, "low": each.low, "high": each.high, "percent_of_peak": each.percent_of_peak,
            })  # fmt: skip
            before = each.gflops
        screen.print(to_terminal(made))
    write_json(kept, json)
