"""What a rank does: agree with the others, go on from a checkpoint if there is one, train, and keep what there is."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from torch.distributed.elastic.multiprocessing.errors import record

from minisgd.common.cli import UsageError
from minisgd.common.terminal import console, write_json
from minisgd.data import Problem
from minisgd.distributed import RankFailed, Transport, joined
from minisgd.distributed.agreement import Facts, agree, facts_of
from minisgd.distributed.checkpoints import load, save
from minisgd.distributed.steps import DDP, data_parallel, prepare_on, require_even
from minisgd.steps import Array, Epoch, Prepare, ranks
from minisgd.train import Checkpoint, History, Settings, train


@dataclass(frozen=True)
class Job:
    """What the ranks are to do, all the same.

    Parameters
    ----------
    problem : Problem
    settings : Settings
        The step is one of `minisgd.distributed.steps`.
    average_every : int
        Batches from one average of the weights to the next; 0 to add up gradients.
    timeout : float
        Seconds, see `minisgd.distributed.joined`.
    """

    problem: Problem
    settings: Settings
    average_every: int
    timeout: float

    def facts(self) -> Facts:
        """What ranks must have in common."""
        return facts_of(self.problem, self.settings) | {"average every": self.average_every}

    def prepare(self, transport: Transport) -> Prepare:
        """The step; a UsageError if the batches do not fit it."""
        if self.settings.step != DDP:
            return prepare_on(transport, self.average_every)
        if transport.name != "gloo":
            raise UsageError(f"{DDP} speaks by gloo: expected to be started by torchrun")
        require_even(len(self.problem.x), self.settings.batch_size, transport.count)
        return data_parallel(transport)


class Keeper:
    """Rank 0's files: the history so far, and the checkpoint.

    Parameters
    ----------
    transport : Transport
    job : Job
    json, checkpoint : str or None
        Where to.
    """

    def __init__(self, transport: Transport, job: Job, json: str | None, checkpoint: str | None) -> None:
        self.transport, self.job, self.json, self.facts = transport, job, json, job.facts()
        self.path = Path(checkpoint) if checkpoint else None
        self.learnt: tuple[Array, Array] | None = None

    def resume(self) -> Checkpoint | None:
        """What rank 0 has kept, on all ranks; a UsageError on all, if it is not of this job."""
        found: Checkpoint | UsageError | None = None
        if self.transport.rank == 0 and self.path:
            try:
                found = load(self.path, self.facts)
            except UsageError as error:
                found = error
        found = self.transport.inquiry.exchange(found)[0]
        if isinstance(found, UsageError):
            raise found
        return found

    def watching(self, prepare: Prepare) -> Prepare:
        """The same step, and what it trains is known here."""

        def prepared(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
            self.learnt = weights, bias
            return prepare(x, y, weights, bias, objective)

        return prepared

    def keep(self, history: History) -> None:
        """After each epoch; a loss that is not finite is the end, of which `train` tells."""
        if not math.isfinite(history.points[-1].loss):
            return
        if self.transport.rank == 0 and self.path and self.learnt:
            save(self.path, Checkpoint(*self.learnt, history.points), self.facts)
        self.write(history, None if self.json == "-" else self.json)

    def write(self, history: History, to: str | None) -> None:
        """The history, with who has made it."""
        if self.transport.rank == 0:
            how = {"ranks": self.transport.count, "transport": self.transport.name, "average_every": self.job.average_every}
            write_json(asdict(history) | how, to)


NOTICED_S = 1.0
"""Seconds that a rank which lost the others stays: torchrun looks ten times a second which ranks have ended."""


@record
def work(job: Job, json: str | None, checkpoint: str | None) -> None:
    """Train as a rank; what goes wrong is left to torchrun's summary too."""
    data, settings = job.problem.astype(job.settings.dtype), job.settings
    zeros = np.zeros((data.x.shape[1], data.y.shape[1]), settings.dtype)
    ranks.warm((data.x, data.y, data.objective), zeros, zeros[0].copy())
    # As torchrun asks for, too: evaluating would wake BLAS's threads, which spin beside the other ranks.
    try:
        with joined(job.timeout) as transport, threadpool_limits(1):
            keeper = Keeper(transport, job, json, checkpoint)
            agree(transport.inquiry, keeper.facts)
            prepare, kept = keeper.watching(job.prepare(transport)), keeper.resume()
            history = train(job.problem, settings, keeper.keep, prepare=prepare, checkpoint=kept)
    except RankFailed:
        time.sleep(NOTICED_S)  # a rank that was killed is to be the first that torchrun finds: it names the first
        raise
    if transport.rank == 0:
        console(json).print(result(history, transport))
    if json == "-":
        keeper.write(history, json)


def result(history: History, transport: Transport) -> str:
    """Where training has ended, as a line; a step's time is without evaluation, and the shuffling counts."""
    last, size = history.points[-1], history.settings.batch_size
    line = f"{history.problem} on {transport.count} ranks by {transport.name}, {size:,} examples a batch: loss {last.loss:.6f}"
    if (steps := last.examples // history.n * math.ceil(history.n / size)) == 0:
        return line
    return f"{line} after {last.examples:,} examples in {last.seconds:.3g} s, {last.seconds / steps * 1e6:.3g} us a step"
