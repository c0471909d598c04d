"""Ranks that mpirun has started, over MPI: an all-reduce of a few numbers takes a microsecond instead of gloo's hundred.

MPI waits without an end. So a thread of each rank watches the calls, and finds out by gloo who is missing when one takes half of
the timeout. It ends its process, and mpirun the others.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CDLL, c_void_p, cast
from datetime import timedelta

import mpi4py
import numpy as np
import torch.distributed as dist

mpi4py.rc.initialize = mpi4py.rc.finalize = False
from mpi4py import MPI  # noqa: E402 (which reads the above)
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # noqa: E402

from kernels.sharded import Mail  # noqa: E402
from minisgd.distributed.transport import Array, Inquiry, RankFailed, Reduction, Transport, meet  # noqa: E402

LIBRARY = CDLL(MPI.__file__)
"""The functions of the MPI that mpi4py has found, by their names in C."""


def number(handle: MPI.Comm | MPI.Datatype | MPI.Op) -> int:
    """A handle as C passes it in a register: an int with MPICH, a pointer with Open MPI."""
    return int(MPI._handleof(handle))


class Watch(threading.Thread):
    """Ends this process if a call takes longer than the patience.

    Parameters
    ----------
    inquiry : Inquiry
    """

    def __init__(self, inquiry: Inquiry) -> None:
        super().__init__(daemon=True)
        self.inquiry, self.closed = inquiry, threading.Event()
        self.counts: list[Array] = []

    def calls(self) -> tuple[int, ...]:
        """Of those under way, which each is."""
        return tuple(int(begun) if begun != over else 0 for begun, over in self.counts)

    def run(self) -> None:
        """Look ten times as often as it would be time to end."""
        patience = self.inquiry.patience.total_seconds()
        seen, since = self.calls(), time.monotonic()
        while not self.closed.wait(patience / 10):
            if (now := self.calls()) != seen or not any(now):
                seen, since = now, time.monotonic()
            elif time.monotonic() - since >= patience:
                rank = self.inquiry.rank
                end(self.inquiry.missing() or f"[Rank {rank}]: All ranks answer, but wait in MPI for {patience:g} s")


def end(why: str) -> None:
    """End a process whose main thread is inside MPI."""
    print("error:", why, file=sys.stderr, flush=True)
    os._exit(1)


class Mpi(Transport):
    """See `minisgd.distributed.transport`.

    Parameters
    ----------
    comm : communicator
    inquiry : Inquiry
        Of the whole job.
    watch : Watch
    """

    name = "MPI"

    def __init__(self, comm: MPI.Intracomm, inquiry: Inquiry, watch: Watch) -> None:
        self.comm, self.inquiry, self.watch = comm, inquiry, watch
        self.rank, self.count = comm.rank, comm.size
        comm.Set_errhandler(MPI.ERRORS_RETURN)
        self.counts = np.zeros(2, np.int64)
        watch.counts.append(self.counts)

    @classmethod
    def join(cls, timeout: float) -> Mpi:
        """Meet the others; rank 0 keeps the store in which they do."""
        patience = timedelta(seconds=timeout / 2)
        seconds = patience.total_seconds()
        late = threading.Timer(seconds, end, [f"MPI_Init waits for {seconds:g} s; a rank that does not say so has not come"])
        late.daemon = True
        late.start()
        LIBRARY.MPI_Init(None, None)  # mpi4py's own would hold the interpreter, and the timer
        late.cancel()
        comm = MPI.COMM_WORLD
        hosts = comm.allgather(socket.gethostname())
        host = hosts[0] if len(set(hosts)) > 1 else "localhost"  # one machine's name need not be known to any resolver
        store = TCPStore(host, 0, comm.size, True, patience, False) if comm.rank == 0 else None
        port = comm.bcast(store.port if store else 0, 0)
        meet(store or TCPStore(host, port, comm.size, False, patience), comm.rank, comm.size, patience)
        inquiry = Inquiry(comm.rank, comm.size, patience)
        watch = Watch(inquiry)
        watch.start()
        return cls(comm, inquiry, watch)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count a call."""
        self.counts[0] += 1
        try:
            yield
        except MPI.Exception as error:
            raise self.failure(error.Get_error_code()) from None
        finally:
            self.counts[1] += 1

    def failure(self, status: int) -> RankFailed:
        """What MPI says of a status."""
        return RankFailed(f"[Rank {self.inquiry.rank}]: {MPI.Get_error_string(status)}")

    def all_reduce(self, sums: Array) -> None:
        """Sum in place."""
        with self.watched():
            self.comm.Allreduce(MPI.IN_PLACE, sums)

    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """A long message moves while it is waited for, since MPI works in its callers' time."""
        with self.watched():
            begun = [self.comm.Irecv(array, rank) for rank, array in receives if array.size]
            begun += [self.comm.Isend(array, rank) for rank, array in sends if array.size]

        def wait() -> None:
            with self.watched():
                MPI.Request.Waitall(begun)

        return wait

    def barrier(self) -> None:
        """Wait for all."""
        with self.watched():
            self.comm.Barrier()

    def reduction(self, sums: Array) -> Reduction:
        """MPI_Allreduce itself."""
        words = np.zeros(9, np.int64)
        words[:7] = (
            cast(LIBRARY.MPI_Allreduce, c_void_p).value or 0,
            int(MPI.IN_PLACE),
            sums.ctypes.data,
            sums.size,
            number(MPI._typedict[sums.dtype.char]),
            number(MPI.SUM),
            number(self.comm),
        )
        self.watch.counts.append(words[7:])
        return Reduction(words, self.failure, sums)

    def close(self) -> None:
        """Finalize; after a failure mpirun ends the others, whom this would wait for."""
        self.barrier()
        self.watch.closed.set()
        dist.destroy_process_group()
        MPI.Finalize()
