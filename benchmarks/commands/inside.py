"""``python -m benchmarks inside``: what each part of numba/full brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.options import Device, Json
from benchmarks.commands.warning import warn
from minisgd.common.cli import UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console


def inside(
    size: Annotated[str, typer.Option(metavar="N|MxNxP")] = "1024",
    dtype: Annotated[list[str] | None, typer.Option(help="float32 or float64; repeatable.")] = None,
    device: Device = "cpu",
    turns: Annotated[int, typer.Option(min=4, help="Turns of each stage.")] = 24,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure numba/full stage by stage: a naive microkernel, registers, packing, the tile model, threads.

    On cuda that inside numba-cuda/full: a register tile, 128-bit loads, unrolled, asynchronous copies, no guards; and beside the
    share of the peak that is reached, the most that the machine code allows.

    Example: python -m benchmarks inside --size 1024 --dtype float64
    """
    from benchmarks.harness import cases, devices
    from kernels.dtypes import FLOATS
    from minisgd.common.tables.description import Cell, Column, Table, interval, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, write_json

    screen = console(json)
    devices.check([device])
    cases.check_dtypes(dtype or [])
    shape = cases.parse_size(size)
    warn(screen)
    kept, on_cuda = [], device == "cuda"
    allowed = [Column("% allowed", "%")] if on_cuda else []
    for each_dtype in dtype or FLOATS:
        found = (_on_cuda if on_cuda else _on_cpu)(screen, shape, each_dtype, turns)
        made = Table([
            words("stage"), Column("threads"), Column("GFLOPS", "GFLOPS"), Column("quartiles", "GFLOPS"), Column("% peak", "%"),
            *allowed, Column("x before"), words("what it adds"),
        ], f"{'numba-cuda' if on_cuda else 'numba'}/full, {size}, {each_dtype}")  # fmt: skip
        before: float | None = None
        for each in found:
            stage = each.stage
            share = Cell(None, "not reached") if each.percent_of_peak is None else each.percent_of_peak
            times = each.gflops / before if before else None
            most = [each.percent_allowed] if on_cuda else []
            made.add(stage.name, stage.threads, each.gflops, interval(each.low, each.high), share, *most, times, stage.adds)
            kept.append({
                "size": size, "dtype": each_dtype, "stage": stage.name, "threads": stage.threads, "adds": stage.adds,
                "gflops": each.gflops, "low": each.low, "high": each.high, "percent_of_peak": each.percent_of_peak,
            })  # fmt: skip
            before = each.gflops
        screen.print(to_terminal(made))
    write_json(kept, json)


def _on_cpu(screen: Console, shape: Mapping[str, int], dtype: str, turns: int) -> Sequence[Any]:
    from benchmarks.harness.host.threads import CORES
    from benchmarks.inside import stages
    from minisgd.common.terminal import progress

    with screen.status("compiling"):
        chosen = stages.stages(dtype, **shape, threads=CORES)
    with progress(screen, turns * len(chosen)) as advance:
        return list(stages.measure(chosen, dtype, **shape, turns=turns, advance=advance))


def _on_cuda(screen: Console, shape: Mapping[str, int], dtype: str, turns: int) -> Sequence[Any]:
    from benchmarks.harness.runs import SETUP_TIMEOUT_S
    from benchmarks.harness.workers import Worker, WorkerFailure
    from benchmarks.inside import gpu_stages

    worker = Worker()
    try:
        with screen.status("compiling and measuring"):
            return worker.call(gpu_stages.measure, SETUP_TIMEOUT_S, shape, dtype, turns)
    except WorkerFailure as failure:
        raise UsageError(f"{gpu_stages.KERNEL} cannot be measured: {failure}") from None
    finally:
        worker.close()
