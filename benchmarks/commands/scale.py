"""``python -m benchmarks scale``: how SGD and the product scale over processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import RUNS, Json, Plot, Runs
from benchmarks.commands.warning import warn
from minisgd.common.cli import INCONCLUSIVE, INTERRUPTED, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from benchmarks.harness.records import Case


def scale(
    workload: Annotated[list[str] | None, typer.Option(help="sgd, if left out, or gemm; repeatable.")] = None,
    ranks: Annotated[str, typer.Option(metavar="N,N", help="Numbers of processes, 1 among them.")] = "1,2",
    transport: Annotated[list[str] | None, typer.Option(help="gloo or mpi; repeatable. What is installed, if left out.")] = None,
    size: Annotated[list[str] | None, typer.Option(metavar="N|MxNxP", help="Of sgd n x d x k; repeatable.")] = None,
    batch_size: Annotated[list[int] | None, typer.Option(metavar="N", help="Of sgd; repeatable.")] = None,
    kernel: Annotated[str | None, typer.Option(help="Multiplies a rank's part; numba/full, if left out.")] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each rank.")] = 1,
    runs: Runs = RUNS,
    plot: Plot = None,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure strong and weak scaling over processes, in turns: efficiency, bytes, seconds in communication, GFLOPS a rank.

    Of sgd also the model of its time, and the batch from which more workers pay.

    Example: python -m benchmarks scale --workload gemm --ranks 1,2 --size 1024
    """
    from benchmarks.commands.keeping import Keeping
    from benchmarks.commands.run import conclude
    from benchmarks.commands.show import present
    from benchmarks.harness import records
    from benchmarks.scaling import compared, measure
    from minisgd.common.terminal import console, progress, require_writable

    require_writable(runs)
    screen = console(json)
    with screen.status("loading numpy and numba"):
        workloads = list(dict.fromkeys(workload or ["sgd"]))
        chosen = _cases(workloads, ranks, transport, size, batch_size, kernel, dtype, threads)
    warn(screen)
    keeping = Keeping()
    path, kept = records.fresh(runs, f"scale-{'-'.join(workloads)}"), None

    def keep(run: records.Run) -> None:
        nonlocal kept
        kept = run
        keeping.save(run, path)

    interrupt: KeyboardInterrupt | None = None
    try:
        with progress(screen, (measure.ROUNDS + 2) * len(chosen) + 1) as advance:
            measure.execute(chosen, advance=advance, keep=keep)
    except KeyboardInterrupt as error:
        interrupt = error
    if kept is None:
        screen.print("interrupted before anything was measured")
        raise typer.Exit(INTERRUPTED)
    if not keeping.complaint:
        screen.print(f"run kept in {path}", soft_wrap=True)
    present(kept, screen, json, plot, book=False)
    conclude(kept, keeping.complaint or interrupt)
    if compared.starved(kept):
        raise typer.Exit(INCONCLUSIVE)


def _cases(
    workloads: list[str],
    ranks: str,
    transport: list[str] | None,
    size: list[str] | None,
    batch_size: list[int] | None,
    kernel: str | None,
    dtype: str,
    threads: int,
) -> list[Case]:
    """What is measured, once all of it makes sense."""
    from benchmarks.harness import cases
    from benchmarks.scaling import plan
    from benchmarks.scaling.crew import installed

    if unknown := set(workloads) - {"sgd", "gemm"}:
        raise UsageError(f"--workload {unknown.pop()}: expected sgd or gemm")
    if size and len(workloads) > 1:
        raise UsageError("--size: sgd and gemm have sizes of their own; expected one --workload with it")
    if batch_size and "gemm" in workloads:
        raise UsageError("--batch-size: a matrix product has none; expected --workload sgd")
    if kernel and "gemm" not in workloads:
        raise UsageError("--kernel: ranks have an epoch of their own for sgd; expected --workload gemm with it")
    counts = sorted({int(each) for each in ranks.split(",") if each.isascii() and each.isdigit()})
    if ",".join(map(str, counts)) != ranks:
        raise UsageError(f"--ranks {ranks}: expected whole numbers that rise, such as 1,2")
    plan.check_ranks(counts, threads)
    cases.check_dtypes([dtype])
    transports, found = installed(transport or []), []
    if "sgd" in workloads:
        asked = {text: batch_size or plan.EPOCHS.get(text) or plan.batches(text) for text in size or plan.EPOCHS}
        found += plan.epochs(asked, counts, threads, transports, dtype)
    if "gemm" in workloads:
        found += plan.products(size or plan.SIZES, counts, threads, transports, kernel or "numba/full", dtype)
    return list({case.title: case for case in found}.values())
