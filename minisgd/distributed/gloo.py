"""Ranks that torchrun has started, over gloo.

A restarted job meets under a name of its own: in the keys of the attempt before, ranks would find addresses of processes that
are gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_int, c_int64, c_void_p, cast
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from minisgd.distributed.transport import Array, Inquiry, RankFailed, Reduction, Transport, meet, reason

Reduce = CFUNCTYPE(c_int, *[c_int64] * 6)
"""MPI_Allreduce's form, its arguments as words."""


def attempt() -> str:
    """How often torchrun has restarted the job, 0 at first."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")


class Gloo(Transport):
    """See `minisgd.distributed.transport`.

    Parameters
    ----------
    inquiry : Inquiry
        Of the whole job.
    group : process group, optional
        The whole job, if left out.
    """

    name = "gloo"

    def __init__(self, inquiry: Inquiry, group: dist.ProcessGroup | None = None) -> None:
        self.inquiry, self.group = inquiry, group
        self.rank, self.count = dist.get_rank(group), dist.get_world_size(group)

    @classmethod
    def join(cls, timeout: float) -> Gloo:
        """Meet the others; a RankFailed if not all come within half of the timeout."""
        patience = timedelta(seconds=timeout / 2)
        try:
            store, rank, count = next(rendezvous("env://", timeout=patience))
        except RuntimeError as error:
            raise RankFailed(reason(error, int(os.environ["RANK"]))) from None
        meet(dist.PrefixStore(f"attempt {attempt()}", store), rank, count, patience)
        return cls(Inquiry(rank, count, patience))

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Find out who is missing if a call fails. Of a connection that is closed, torchrun knows whose it was."""
        try:
            yield
        except RuntimeError as error:
            raise RankFailed(self.inquiry.missing() or reason(error, self.inquiry.rank)) from None

    def all_reduce(self, sums: Array) -> None:
        """Sum in place."""
        with self.answered():
            dist.all_reduce(torch.from_numpy(sums), group=self.group)

    def all_gather(self, mine: Array, everyone: Array) -> None:
        """Collect by rank."""
        with self.answered():
            dist.all_gather(list(torch.from_numpy(everyone)), torch.from_numpy(mine), group=self.group)

    def reduce_scatter(self, parts: Array, mine: Array) -> None:
        """Sum a part for each rank."""
        with self.answered():
            dist.reduce_scatter(torch.from_numpy(mine), list(torch.from_numpy(parts)), group=self.group)

    def broadcast(self, array: Array, root: int) -> None:
        """Overwrite with the root's."""
        with self.answered():
            dist.broadcast(torch.from_numpy(array), group=self.group, group_src=root)

    def barrier(self) -> None:
        """Wait for all."""
        with self.answered():
            dist.barrier(self.group)

    def split(self, color: int) -> Gloo:
        """A group that only its members make."""
        colors = np.empty((self.count, 1), np.int64)
        self.all_gather(np.array([color], np.int64), colors)
        everyone = range(self.count) if self.group is None else dist.get_process_group_ranks(self.group)
        members = [rank for rank, given in zip(everyone, colors[:, 0], strict=True) if given == color]
        with self.answered():
            group = dist.new_group(members, timeout=self.inquiry.patience, use_local_synchronization=True)
        return Gloo(self.inquiry, group)

    def reduction(self, sums: Array) -> Reduction:
        """A callback; gloo takes so long that the call of Python does not count."""
        raised: list[BaseException] = []

        def reduce(*_: int) -> int:
            try:
                self.all_reduce(sums)
            except BaseException as error:  # it cannot pass through compiled code
                raised.append(error)
            return len(raised)

        callback = Reduce(reduce)
        words = np.zeros(9, np.int64)
        words[0] = cast(callback, c_void_p).value
        return Reduction(words, lambda status: raised[0], callback)

    def close(self) -> None:
        """Close all connections; after a failure the end of the process does it, since there is nobody to agree with."""
        if self.group is None:
            dist.destroy_process_group()
