"""The command `python -m minisgd.distributed`, which torchrun or mpirun starts."""

from __future__ import annotations

import math
import sys
from typing import Annotated

try:
    import torch  # noqa: F401 (asked for before anything else fails for the want of it)
    import typer
except ModuleNotFoundError as error:
    print(f"error: {error.name} is not installed; the command needs it: pip install 'minisgd[bench,torch]'", file=sys.stderr)
    sys.exit(2)

from minisgd.common import cli
from minisgd.common.cli import UsageError
from minisgd.common.options import Json
from minisgd.data import load
from minisgd.distributed import RankFailed, require_rank
from minisgd.distributed.steps import DDP, OURS
from minisgd.distributed.work import Job, work
from minisgd.train import Diverged, Settings, check

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def command(
    data: Annotated[str, typer.Option(help="airfoil, linear or logistic.")] = "airfoil",
    batch_size: Annotated[int, typer.Option(help="Examples a step, of all ranks together.")] = 10,
    lr: Annotated[float, typer.Option(help="Learning rate of the first epoch.")] = 0.05,
    epochs: Annotated[int, typer.Option()] = 2,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    seed: Annotated[int, typer.Option(help="Of the visiting orders.")] = 0,
    step: Annotated[str, typer.Option(help=f"{OURS}, or {DDP}, in DistributedDataParallel, on even batches.")] = OURS,
    average_every: Annotated[
        int, typer.Option(metavar="BATCHES", help="Average weights that often (local SGD), instead of adding up gradients.")
    ] = 0,
    checkpoint: Annotated[str | None, typer.Option(metavar="FILE", help="Kept each epoch; gone on from, if it is there.")] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Until a rank that does not answer ends the job.")] = 60,
    json: Json = None,
) -> None:
    """Minibatch SGD by several processes, which torchrun or mpirun starts.

    Example: torchrun --nproc-per-node 2 -m minisgd.distributed --batch-size 97

    Example: mpirun -n 2 --bind-to none python -m minisgd.distributed --batch-size 97
    """
    problem = load(data)
    if step not in (OURS, DDP):
        raise UsageError(f"step {step!r}: expected {OURS} or {DDP}")
    if average_every < 0:
        raise UsageError(f"average every {average_every}: expected 0 or more batches")
    if average_every and step == DDP:
        raise UsageError(f"average every {average_every}: expected 0 with {DDP}, which averages gradients")
    if not 0 < timeout < math.inf:
        raise UsageError(f"timeout {timeout}: expected more than 0 seconds")
    settings = Settings(step, batch_size, lr, epochs, dtype=dtype, seed=seed)
    check(settings, problem)
    require_rank()
    try:
        work(Job(problem, settings, average_every, timeout), json, checkpoint)
    except (Diverged, RankFailed) as error:
        print("error:", error, file=sys.stderr)
        raise typer.Exit(cli.FAILED) from None


def main() -> int:
    """Run the command; bad input is one line and status 2."""
    return cli.run(app, "python -m minisgd.distributed")


if __name__ == "__main__":
    sys.exit(main())
