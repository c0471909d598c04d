"""The ranks of a job as a scaling run uses them: products whose messages are counted, SGD with its all-reduces and without.

A job of one rank does without torch and MPI, so they are imported by the ranks that join others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cfunc, int32, int64

from kernels.sharded import Mail, Peers
from minisgd.steps import STEPS, Array, Step

if TYPE_CHECKING:
    from minisgd.distributed import Transport
    from minisgd.distributed.transport import Reduction

STEP = "numba-ranks"
"""The step of all ranks together, as records call it."""

SILENT = "numba-ranks-silent"
"""The same with an all-reduce that does nothing: what the other takes longer is communication."""

TIMEOUT_S = 120.0
"""Half of which ranks wait for each other."""


@dataclass
class Count:
    """What a rank has said since it was cleared, and how long that took, waiting for the others included."""

    seconds: float = 0.0
    messages: int = 0
    sent_bytes: int = 0

    def clear(self) -> None:
        """Begin anew."""
        self.seconds, self.messages, self.sent_bytes = 0.0, 0, 0

    def timed(self, call: Callable[..., Any], *args: Any) -> Any:
        """Call, and add the time that it takes."""
        start = time.perf_counter()
        try:
            return call(*args)
        finally:
            self.seconds += time.perf_counter() - start


class Counted:
    """Peers whose messages are counted; the time of those on their way while this rank computes is not."""

    def __init__(self, peers: Peers, count: Count) -> None:
        self.rank, self.count = peers.rank, peers.count
        self._peers, self._counted = peers, count

    def exchange(self, sends: Mail, receives: Mail) -> Callable[[], None]:
        """See `kernels.sharded.Peers`."""
        self._counted.messages += sum(array.size > 0 for _, array in sends)
        self._counted.sent_bytes += sum(array.nbytes for _, array in sends)
        wait = self._counted.timed(self._peers.exchange, sends, receives)
        return lambda: self._counted.timed(wait)


@dataclass
class Team:
    """The ranks of this job; those of a job of one speak to nobody."""

    peers: Peers | None = None
    barrier: Callable[[], None] = lambda: None
    count: Count = field(default_factory=Count)


def join() -> Team:
    """Become one of the ranks that this process was started with, and enter their steps in its table."""
    from minisgd.distributed import join as meet
    from minisgd.distributed.steps import prepare_on

    transport = meet(TIMEOUT_S)
    STEPS.add(Step(STEP, prepare_on(transport), compiles=True))
    STEPS.add(Step(SILENT, prepare_on(silent(transport)), compiles=True))
    count = Count()
    return Team(Counted(transport, count), transport.barrier, count)


def silent(transport: Transport) -> Any:
    """The same place among the ranks, where nothing is added up."""
    from minisgd.distributed.transport import Reduction

    class Silent:
        """What a step asks of a transport."""

        rank, count = transport.rank, transport.count

        def reduction(self, sums: Array) -> Reduction:
            """In the form of MPI_Allreduce."""
            words = np.zeros(9, np.int64)
            words[0] = nothing.address
            return Reduction(words, lambda status: RuntimeError(status), sums)

    return Silent()


@cfunc(int32(*[int64] * 6), cache=True)
def nothing(a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """MPI_SUCCESS, at once."""
    return 0
