"""What ranks do together, over whichever library; `gloo` and `mpi` implement it, and `joined` picks one by who started us.

Arrays are C-contiguous numpy arrays, in shape and dtype the same on all ranks. Every rank makes the same calls in the same order.
A rank that does not answer for half of the timeout ends the others, each with a line that names it; the other half is for finding
out which it is.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import torch.distributed as dist
from numpy.typing import NDArray

from kernels.sharded import Mail

Array = NDArray[Any]


class RankFailed(RuntimeError):
    """A rank did not answer; the message says which, and who found out."""


class Reduction(NamedTuple):
    """An all-reduce of one array as compiled code calls it, see `minisgd.steps.ranks`.

    Parameters
    ----------
    words : (9,) array of int64
        The address of a function in the form of MPI_Allreduce, its six arguments, and two counts: of the calls that compiled code
        has begun and of those that are over.
    failure : callable
        Given the status that a call has returned, which is not 0: the exception to raise.
    kept : object
        What lies at the addresses.
    """

    words: Array
    failure: Callable[[int], BaseException]
    kept: Any


class Inquiry:
    """The ranks' second way to each other, by gloo whatever they add up by: who is there, and what each has.

    Parameters
    ----------
    rank, count : int
    patience : timedelta
        How long to wait for an answer.
    """

    def __init__(self, rank: int, count: int, patience: timedelta) -> None:
        self.rank, self.count, self.patience = rank, count, patience
        self.group = dist.new_group(timeout=patience)

    def missing(self) -> str:
        """Which ranks do not answer, as a sentence; nothing if all do."""
        try:
            dist.monitored_barrier(self.group, self.patience, wait_all_ranks=True)
        except RuntimeError as error:
            return reason(error, self.rank)
        return ""

    def exchange(self, mine: Any) -> list[Any]:
        """What each rank has, by rank: anything that can be pickled."""
        everyone: list[Any] = [None] * self.count
        try:
            dist.all_gather_object(everyone, mine, self.group)
        except RuntimeError as error:
            raise RankFailed(self.missing() or reason(error, self.rank)) from None
        return everyone


class Transport(ABC):
    """The processes of a job, of which this is one.

    Parameters
    ----------
    rank, count : int
        This process, from 0 on, and how many there are.
    inquiry : Inquiry
        Of all processes of the job.
    """

    name: str
    rank: int
    count: int
    inquiry: Inquiry

    @abstractmethod
    def all_reduce(self, sums: Array) -> None:
        """Sum over the ranks, in place on all of them."""

    @abstractmethod
    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """Begin to send and to receive, see `kernels.sharded.Peers`; all is done when what comes back has been called."""

    @abstractmethod
    def barrier(self) -> None:
        """Return when all ranks have come."""

    @abstractmethod
    def reduction(self, sums: Array) -> Reduction:
        """``all_reduce(sums)`` for compiled code."""

    @abstractmethod
    def close(self) -> None:
        """Leave the job together with the others."""


def meet(store: Any, rank: int, count: int, patience: timedelta) -> None:
    """Wait in a store of torch's until all ranks are there, and join them by gloo.

    Raises
    ------
    RankFailed
        That names the ranks that have not come in time.
    """
    here = [f"here/{each}" for each in range(count)]
    try:
        store.set(here[rank], "")
        store.wait(here, patience)
    except RuntimeError as error:
        missing = ", ".join(f"rank {each}" for each in range(count) if not store.check([here[each]]))
        said = f"[Rank {rank}]: did not come within {patience.total_seconds():g} s: {missing}"
        raise RankFailed(said if missing else reason(error, rank)) from None
    try:
        dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=patience)
    except RuntimeError as error:
        raise RankFailed(reason(error, rank)) from None


def reason(error: BaseException, rank: int) -> str:
    """What torch says in its first sentence, without the place in its sources, and who says it.

    Examples
    --------
    >>> reason(RuntimeError("[/gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:70. This is typically"), 0)
    '[Rank 0]: Connection closed by peer [127.0.0.1]:70'
    """
    said = re.sub(r"^\[/[^]]*\] ", "", str(error)).splitlines() or [type(error).__name__]
    sentence = said[0].split(". ")[0]
    return sentence if sentence.startswith("[Rank") else f"[Rank {rank}]: {sentence}"
