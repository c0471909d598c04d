"""Ranks that torchrun has started, over gloo.

A restarted job meets under a name of its own: in the keys of the attempt before, ranks would find addresses of processes that
are gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_int, c_int64, c_void_p, cast
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch.distributed import PrefixStore  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

from kernels.sharded import Mail
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
    """

    name = "gloo"

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.rank, self.count = dist.get_rank(), dist.get_world_size()

    @classmethod
    def join(cls, timeout: float) -> Gloo:
        """Meet the others; a RankFailed if not all come within half of the timeout."""
        patience = timedelta(seconds=timeout / 2)
        try:
            store, rank, count = next(rendezvous("env://", timeout=patience))
        except RuntimeError as error:
            raise RankFailed(reason(error, int(os.environ["RANK"]))) from None
        meet(PrefixStore(f"attempt {attempt()}", store), rank, count, patience)
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
            dist.all_reduce(torch.from_numpy(sums))

    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """By gloo's own threads, while this one computes."""
        with self.answered():
            begun = [dist.irecv(torch.from_numpy(array), rank) for rank, array in receives if array.size]
            begun += [dist.isend(torch.from_numpy(array), rank) for rank, array in sends if array.size]

        def wait() -> None:
            with self.answered():
                for each in begun:
                    each.wait()  # type: ignore[union-attr]  # None in a process that is none of the ranks

        return wait

    def barrier(self) -> None:
        """Wait for all."""
        with self.answered():
            dist.barrier()

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
        words[0] = cast(callback, c_void_p).value or 0
        return Reduction(words, lambda status: raised[0], callback)

    def close(self) -> None:
        """Close all connections; after a failure the end of the process does it, since there is nobody to agree with."""
        dist.destroy_process_group()
