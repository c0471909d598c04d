"""``python -m benchmarks inside``: what each part of numba/full brings."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.commands.options import Json


def inside(
    size: Annotated[str, typer.Option(metavar="N|MxNxP")] = "1024",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    turns: Annotated[int, typer.Option(min=4, help="Of each stage.")] = 24,
    json: Json = None,
) -> None:
    """The ladder inside numba/full, one stage after the other: a naive microkernel, registers, packing, tile model, threads.

    Example: python -m benchmarks inside --size 1024 --dtype float64
    """
    from benchmarks import stages
    from benchmarks.harness import cases, ceilings
    from benchmarks.harness.threads import CORES
    from minisgd.views.terminal import console, progress, table, write_json
    from minisgd.views.units import digits, percent

    screen = console(json)
    cases.check_dtypes([dtype])
    shape = cases.parse_size(size)
    m, n, p = (shape[name] for name in "mnp")
    with screen.status("compiling, and measuring the peak"):
        chosen = stages.stages(dtype, m, n, p, CORES)
        limits = ceilings.measure(sorted({1, CORES}))
    with progress(screen, turns * len(chosen)) as advance:
        found = list(stages.measure(chosen, dtype, m, n, p, turns, advance))
    made = table(
        "stage", "threads", "GFLOPS", "quartiles", "% peak", "x before", " what it adds", title=f"numba/full, {size}, {dtype}"
    )
    before = None
    for each in found:
        peak = limits.peak(dtype, each.stage.threads)
        made.add_row(
            each.stage.name, str(each.stage.threads), digits(each.gflops), f"{digits(each.low)}-{digits(each.high)}",
            percent(100 * each.gflops / peak) if peak else "", digits(each.gflops / before) if before else "", each.stage.adds,
        )  # fmt: skip
        before = each.gflops
    screen.print(made)
    write_json([{"stage": each.stage.name, "gflops": each.gflops, "low": each.low, "high": each.high} for each in found], json)
