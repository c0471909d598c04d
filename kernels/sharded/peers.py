"""The one thing that a sharded product asks of a transport: send arrays to ranks and receive others, all at once.

All-gather, reduce-scatter and broadcast are exchanges of parts. A library's own ask for parts of one size, and gloo has no
reduce-scatter. Sent directly, R - 1 messages at once carry the bytes that a ring would, which passes them on one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]
Mail = Sequence[tuple[int, Array]]
"""Ranks, and the contiguous array that is sent to each or received from it. An empty array is not sent."""


class Peers(Protocol):
    """The processes of a job, of which this is one."""

    rank: int
    count: int

    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """Begin to send and receive; the function that comes back returns when all is there and all arrays may be used again.

        Two ranks that send each other several arrays receive them in that order.
        """


class Gloo:
    """torch.distributed's ranks; its default process group must be there.

    Raises
    ------
    ModuleNotFoundError
        Without torch.
    """

    def __init__(self) -> None:
        import torch.distributed as dist

        self.rank, self.count = dist.get_rank(), dist.get_world_size()

    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """By gloo's own threads, while the caller computes."""
        import torch
        import torch.distributed as dist

        begun = [dist.irecv(torch.from_numpy(array), rank) for rank, array in receives if array.size]
        begun += [dist.isend(torch.from_numpy(array), rank) for rank, array in sends if array.size]

        def wait() -> None:
            for each in begun:
                each.wait()  # type: ignore[union-attr]  # None in ranks that are no part of the group

        return wait


class Mpi:
    """MPI's ranks.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm, optional
        All ranks of the job, if left out.

    Raises
    ------
    ModuleNotFoundError
        Without mpi4py.
    """

    def __init__(self, communicator: Any = None) -> None:
        from mpi4py import MPI

        self._all = communicator or MPI.COMM_WORLD
        self._wait_all = MPI.Request.Waitall
        self.rank, self.count = self._all.Get_rank(), self._all.Get_size()

    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """A long message moves while this process waits for it, since MPI works in its callers' time."""
        begun = [self._all.Irecv(array, rank) for rank, array in receives if array.size]
        begun += [self._all.Isend(array, rank) for rank, array in sends if array.size]
        return lambda: self._wait_all(begun)
