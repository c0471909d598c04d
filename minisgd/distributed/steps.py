"""The steps that all ranks do together, each as `minisgd.steps` describes one: ours, and PyTorch's DistributedDataParallel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch.nn.parallel import DistributedDataParallel

from minisgd.common.cli import UsageError
from minisgd.distributed.transport import Transport
from minisgd.steps import Array, Epoch, Prepare, ranks
from minisgd.steps.ranks import share
from minisgd.steps.torch_steps import with_optimiser

OURS, DDP = "numba-fused", "torch-concise"
"""By the names that they have in one process; the second in DistributedDataParallel is the peer."""


def prepare_on(transport: Transport, average_every: int = 0) -> Prepare:
    """The compiled epoch of `minisgd.steps.ranks`; weights are averaged every so many batches, or gradients summed for 0."""

    def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
        place = transport.rank, transport.count
        return ranks.prepare((x, y, objective), weights, bias, place, average_every, transport.reduction)

    return prepare


def data_parallel(transport: Transport) -> Prepare:
    """The peer: nn.Linear in DistributedDataParallel, and torch.optim.SGD. It averages over ranks, whose shares must be even."""

    def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
        step = with_optimiser(x, y, weights, bias, objective, DistributedDataParallel, foreach=False)

        def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
            batches = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
            mine = [share(batch, transport.rank, transport.count) for batch in batches]
            step(np.concatenate(mine), batch_size // transport.count, rate)

        return epoch

    return prepare


def require_even(n: int, batch_size: int, count: int) -> None:
    """Refuse batches that DistributedDataParallel cannot take: it would weigh an example by the size of its share.

    Raises
    ------
    UsageError
        If a batch, the last one included, does not divide by the number of ranks.
    """
    last = n % batch_size
    if batch_size % count or last % count:
        uneven = f"the last batch, of {last}," if batch_size % count == 0 else f"batch size {batch_size}"
        raise UsageError(f"{uneven} does not divide by {count} ranks: expected it to for {DDP}, whose ranks average")
