"""The one thing that a sharded product asks of a transport: send arrays to ranks and receive others, all at once.

All-gather, reduce-scatter and broadcast are exchanges of parts. A library's own ask for parts of one size, and return when all is
over; these may differ by a row, and a rank computes meanwhile. Sent directly, R - 1 messages at once carry the bytes that a ring
passes on one by one. The transports of `minisgd.distributed` are such peers.
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
