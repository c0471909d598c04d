"""Minibatch SGD by several processes, started by torchrun like any job of PyTorch.

    torchrun --nproc-per-node 2 -m minisgd.distributed --batch-size 97

Every rank holds the data and draws the same visiting orders. Of each batch B it takes a share S, examples that no other rank
takes; shares differ by one example at most, and some are empty if the batch has fewer examples than there are ranks. The sums
of gradients are scaled by rate / |B|, not by the size of the share, and added up by an all-reduce:

    W <- W - sum over ranks of (rate / |B|) X_S^T r_S

Shares are never averaged, which would weigh an example by the size of the share that it is in. So the trajectory is that of one
process with the same batch, up to rounding; a last batch that is short is no exception.

The ranks speak by gloo. A rank waits half of the timeout in an all-reduce. If that fails, the ranks find out by a monitored
barrier, in connections of its own and in the other half, which of them do not answer. Each rank that is left says so in a line
and ends, and torchrun ends the others: one that was killed is named at once, in its summary; one that hangs is named by rank 0,
or rank 0 by the others, and has 30 s more to end by itself, which torchrun gives it. Rank 0 keeps the history so far.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

try:
    import torch
    import torch.distributed as dist
    import typer
    from torch.distributed.elastic.multiprocessing.errors import record
except ModuleNotFoundError as error:
    print(f"error: {error.name} is not installed; the command needs it: pip install 'minisgd[bench]'", file=sys.stderr)
    sys.exit(2)

from minisgd.common import cli
from minisgd.common.cli import UsageError
from minisgd.common.options import Json
from minisgd.common.terminal import console, write_json
from minisgd.data import Problem, load
from minisgd.steps import Array, Epoch, gradients
from minisgd.train import Diverged, History, Settings, check, train

EXAMPLE = "torchrun --nproc-per-node 2 -m minisgd.distributed --batch-size 97"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class RankFailed(RuntimeError):
    """A rank did not answer; the message says which, and who found out."""


class Ranks:
    """The processes of a job, of which this is one.

    Parameters
    ----------
    timeout : float
        Seconds that a rank waits for the others, half of them to find out which is missing.

    Raises
    ------
    RankFailed
        If not all have come within the timeout.
    """

    def __init__(self, timeout: float) -> None:
        self.rank, self.count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.patience = timedelta(seconds=timeout / 2)
        try:
            dist.init_process_group("gloo", timeout=self.patience)
            self.inquiry = dist.new_group(timeout=self.patience)
        except RuntimeError as error:
            raise RankFailed(reason(error, self.rank)) from None

    def add_up(self, sums: Array) -> None:
        """Sum over the ranks, in place on all of them; a RankFailed if one does not answer."""
        try:
            dist.all_reduce(torch.from_numpy(sums))
        except RuntimeError as error:
            raise RankFailed(self.ask_around() or reason(error, self.rank)) from None

    def ask_around(self) -> str:
        """Who does not answer; nothing if all do. Of a connection that is closed, torchrun knows whose it was."""
        try:
            dist.monitored_barrier(self.inquiry, self.patience, wait_all_ranks=True)
        except RuntimeError as error:
            return reason(error, self.rank)
        return ""

    def prepare(self, x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
        """A step of all ranks together; see `minisgd.steps`."""
        gradient = gradients.prepare(x, y, weights, bias, objective)

        def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                sums = gradient(share(rows, self.rank, self.count), rate / len(rows))
                self.add_up(sums)
                gradients.update(weights, bias, sums)

        return epoch


def share(rows: NDArray[np.int64], rank: int, ranks: int) -> NDArray[np.int64]:
    """A rank's part of a batch.

    Examples
    --------
    >>> [share(np.arange(5), rank, 3).tolist() for rank in range(3)], share(np.arange(1), 0, 2).tolist()
    ([[0], [1, 2], [3, 4]], [])
    """
    return rows[len(rows) * rank // ranks : len(rows) * (rank + 1) // ranks]


def reason(error: Exception, rank: int) -> str:
    """What torch says in its first sentence, without the place in its sources, and who says it.

    Examples
    --------
    >>> reason(RuntimeError("[/gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:70. This is typically"), 0)
    '[Rank 0]: Connection closed by peer [127.0.0.1]:70'
    """
    said = re.sub(r"^\[/[^]]*\] ", "", str(error)).splitlines() or [type(error).__name__]
    sentence = said[0].split(". ")[0]
    return sentence if sentence.startswith("[Rank") else f"[Rank {rank}]: {sentence}"


@contextmanager
def joined(timeout: float) -> Iterator[Ranks]:
    """Be one of the ranks that torchrun has started."""
    ranks = Ranks(timeout)
    yield ranks
    dist.destroy_process_group()  # after a failure the end of the process does it: there is nobody to agree with


@record
def work(problem: Problem, settings: Settings, timeout: float, json: str | None) -> None:
    """Train as a rank; what goes wrong is left to torchrun's summary too."""
    data, weights = problem.astype(settings.dtype), np.zeros((problem.x.shape[1], problem.y.shape[1]), settings.dtype)
    gradients.prepare(data.x, data.y, weights, weights[0].copy(), data.objective)  # compiled while nobody waits
    with joined(timeout) as ranks:

        def keep(history: History, to: str | None) -> None:
            if ranks.rank == 0:
                write_json(asdict(history) | {"ranks": ranks.count}, to)

        history = train(problem, settings, lambda history: keep(history, None if json == "-" else json), prepare=ranks.prepare)
    if ranks.rank == 0:
        last = history.points[-1]
        console(json).print(
            f"{problem.name} on {ranks.count} ranks, {settings.batch_size:,} examples a batch:"
            f" loss {last.loss:.6f} after {last.examples:,} examples in {last.seconds:.3g} s"
        )
    if json == "-":
        keep(history, json)


@app.command()
def command(
    data: Annotated[str, typer.Option(help="airfoil, linear or logistic.")] = "airfoil",
    batch_size: Annotated[int, typer.Option(help="Examples a step, of all ranks together.")] = 10,
    lr: Annotated[float, typer.Option(help="Learning rate of the first epoch.")] = 0.05,
    epochs: Annotated[int, typer.Option()] = 2,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    seed: Annotated[int, typer.Option(help="Of the visiting orders.")] = 0,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Until a rank that does not answer ends the job.")] = 60,
    json: Json = None,
) -> None:
    """Minibatch SGD by several processes, which torchrun starts.

    Example: torchrun --nproc-per-node 2 -m minisgd.distributed --batch-size 97
    """
    problem, settings = load(data), Settings(batch_size=batch_size, rate=lr, epochs=epochs, dtype=dtype, seed=seed)
    check(settings, problem)
    if not 0 < timeout < math.inf:
        raise UsageError(f"timeout {timeout}: expected more than 0 seconds")
    if "RANK" not in os.environ:
        raise UsageError(f"no rank: expected to be started by torchrun, as in: {EXAMPLE}")
    try:
        work(problem, settings, timeout, json)
    except (Diverged, RankFailed) as error:
        print("error:", error, file=sys.stderr)
        raise typer.Exit(1) from None


def main() -> int:
    """Run the command; bad input is one line and status 2."""
    return cli.run(app, "python -m minisgd.distributed")


if __name__ == "__main__":
    sys.exit(main())
