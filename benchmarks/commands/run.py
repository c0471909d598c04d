"""``python -m benchmarks run``: measure kernels and print the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import RUNS, TIMEOUT_S, Devices, Dtypes, Json, Plot, Runs, Timeout
from benchmarks.commands.warning import warn
from minisgd.common.cli import FAILED, INTERRUPTED, NOTHING_MEASURED, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.harness.records import Case, Run
    from benchmarks.harness.shards import Shard


def run(
    workload: Annotated[
        str, typer.Option(help="gemm: matrix products; sgd: epochs of minibatch SGD; transfer: copies to a device and back.")
    ] = "gemm",
    preset: Annotated[str, typer.Option(help="quick, d2l, sizes or full: what is measured unless told otherwise.")] = "quick",
    kernel: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="backend/rung; repeatable.")] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="N|MxNxP", help="256 or 512x64x512; of sgd n x d x k; repeatable."),
    ] = None,
    batch_size: Annotated[list[int] | None, typer.Option(metavar="N", help="Examples a step, of sgd; repeatable.")] = None,
    dtype: Dtypes = None,
    threads: Annotated[list[int] | None, typer.Option(help="Threads; repeatable.")] = None,
    cache: Annotated[str, typer.Option(help="warm: the same operands each call; cold: others, out of cache.")] = "warm",
    device: Devices = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Measure the I-th of N parts of the cases; merge joins the parts.")
    ] = None,
    timeout: Timeout = TIMEOUT_S,
    runs: Runs = RUNS,
    plot: Plot = None,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure matrix products or epochs of SGD: time, GFLOPS, distance from the ceiling, error.

    Example: python -m benchmarks run --kernel 'numba/*' --kernel '*/full' --size 512 --threads 1
    """
    from benchmarks.commands.show import present
    from benchmarks.harness import devices, shards
    from minisgd.common.terminal import console, require_writable

    where = list(dict.fromkeys(device or ["cpu"]))
    devices.check(where)
    require_writable(runs)
    screen = console(json)
    with screen.status("loading numpy, numba and torch"):
        if workload == "sgd":
            if (preset, cache) != ("quick", "warm"):
                raise UsageError("--workload sgd: it is measured warm, in one way; leave --preset and --cache out")
            cases, budget_s = choose_epochs(kernel, size, batch_size, dtype, threads, where)
        elif workload in ("gemm", "transfer"):
            if batch_size:
                raise UsageError("--batch-size: a matrix product has none; add --workload sgd")
            if workload == "gemm":
                cases, budget_s = choose(preset, kernel, size, dtype, threads, cache, where)
            elif kernel or dtype or threads or (preset, cache) != ("quick", "warm"):
                raise UsageError("--workload transfer: it copies float32 in every way; expected --size and --device alone")
            else:
                cases, budget_s = choose_transfers(size, where)
        else:
            raise UsageError(f"--workload {workload}: expected gemm, sgd or transfer")
    if not cases:
        screen.print("nothing to measure: none of these kernels takes that dtype")
        raise typer.Exit(NOTHING_MEASURED)
    name = preset if workload == "gemm" else workload
    part = shards.parse(shard, name, cases) if shard else None
    found, complaint = measure(cases, budget_s, timeout, name, runs, screen, part)
    present(found, screen, json, plot, book=preset == "d2l")
    conclude(found, complaint)


def choose_epochs(
    step: list[str] | None,
    size: list[str] | None,
    batch_size: list[int] | None,
    dtype: list[str] | None,
    threads: list[int] | None,
    devices: list[str],
) -> tuple[list[Case], float]:
    """Cases of the workload sgd; the chapter's shape and batch sizes unless told otherwise."""
    from benchmarks.harness import cases

    cases.check_dtypes(dtype or [])
    cases.check_threads(threads or [])
    shapes = [dict(zip("ndk", cases.parse_size(text).values(), strict=True)) for text in size or []]
    generated = [
        case
        for device in devices
        for case in cases.epochs(
            step or cases.QUICK_STEPS[device], shapes or [cases.AIRFOIL], batch_size or cases.BATCHES, dtype or ["float32"],
            threads or [1], device,
        )
    ]  # fmt: skip
    return generated, cases.PRESETS["quick"].budget_s


def choose_transfers(size: list[str] | None, devices: list[str]) -> tuple[list[Case], float]:
    """Cases of the workload transfer, to the devices that have memory of their own."""
    from benchmarks.harness import cases

    there = [device for device in devices if device != "cpu"]
    if not there:
        raise UsageError("--workload transfer: nothing is copied to the cpu; expected --device cuda")
    shapes = [cases.parse_size(text) for text in size or map(str, cases.TRANSFERRED)]
    return [case for device in there for case in cases.transfers(shapes, device)], cases.PRESETS["quick"].budget_s


def choose(
    preset: str,
    kernel: list[str] | None,
    size: list[str] | None,
    dtype: list[str] | None,
    threads: list[int] | None,
    cache: str,
    devices: list[str],
) -> tuple[list[Case], float]:
    """Cases of a preset, with whatever was asked for in place of the preset's own; and its budget."""
    from benchmarks.harness import cases

    presets = {device: cases.preset(preset, device) for device in devices}
    if cache not in ("warm", "cold"):
        raise UsageError(f"--cache {cache}: expected warm or cold")
    cases.check_dtypes(dtype or [], devices)
    cases.check_threads(threads or [])
    generated = [
        case
        for device, chosen in presets.items()
        for case in cases.generate(
            cases.select(kernel or chosen.kernels, devices),
            [cases.parse_size(text) for text in size or map(str, chosen.sizes)],
            dtype or chosen.dtypes,
            threads or chosen.threads,
            cache=cache,
            device=device,
            shrink=chosen.shrink and not size,
        )
    ]
    return generated, presets[devices[0]].budget_s


def measure(
    cases: list[Case],
    budget_s: float,
    timeout_s: float,
    name: str,
    folder: Path,
    screen: Console,
    shard: Shard | None = None,
) -> tuple[Run, OSError | KeyboardInterrupt | None]:
    """Execute under a progress bar, keeping the run on disk after each step; what there is even if that was cut short.

    Of a shard, only its part of the cases.
    """
    from benchmarks.commands.keeping import Keeping
    from benchmarks.harness import records, runs
    from minisgd.common.terminal import progress

    warn(screen)

    cases = shard.part(cases) if shard else cases
    path = records.fresh(folder, f"{name}-{shard.number}-of-{shard.of}" if shard else name)
    kept: Run | None = None
    interrupt: KeyboardInterrupt | None = None
    keeping = Keeping()

    def keep(run: Run) -> None:
        nonlocal kept
        kept = run.model_copy(update={"shard": shard and shard.model_copy(update={"finished": False})})
        keeping.save(kept, path)

    try:
        with progress(screen, (len(cases) + 1) * runs.ROUNDS) as advance:
            runs.execute(cases, budget_s=budget_s, timeout_s=timeout_s, advance=advance, keep=keep)
        if kept and shard:
            kept = kept.model_copy(update={"shard": shard})
            keeping.save(kept, path)
    except KeyboardInterrupt as error:
        interrupt = error
    if kept is None:
        screen.print("interrupted before anything was measured")
        raise typer.Exit(INTERRUPTED)
    if not keeping.complaint:
        screen.print(f"run kept in {path}")
    return kept, keeping.complaint or interrupt


def conclude(run: Run, complaint: OSError | KeyboardInterrupt | None) -> None:
    """End with the status that says how it went, once everything is printed."""
    if isinstance(complaint, OSError):
        raise UsageError(f"{complaint.filename}: {complaint.strerror}; the results are above, but not all on disk")
    if complaint:
        raise typer.Exit(INTERRUPTED)
    if any(record.failure for record in run.records):
        raise typer.Exit(FAILED)
