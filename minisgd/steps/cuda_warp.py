"""How the lanes of a warp add up: each has a part, and all have the sum; in numba-cuda's simulator too, which has no shuffles."""

from __future__ import annotations

import threading
from typing import Any

from numba.cuda.core import config

from kernels.cuda.primitives import cuda, inlined

LANES = 32
EVERYONE = 0xFFFFFFFF

if config.ENABLE_CUDASIM:

    class Warp:
        """Where the threads of a simulated warp leave their values for each other, and wait."""

        def __init__(self) -> None:
            self.values: list[Any] = [None] * LANES
            self.barrier = threading.Barrier(LANES, timeout=60)

    def exchange(value: Any, apart: int) -> Any:
        """The value of the lane whose number differs in the bit `apart`."""
        thread: Any = threading.current_thread()
        warp, lane = divmod(thread.thread_id, LANES)
        room = vars(thread._manager).setdefault(f"warp {warp}", Warp())
        room.values[lane] = value
        room.barrier.wait()
        other = room.values[lane ^ apart]
        room.barrier.wait()
        return other

else:

    @inlined
    def exchange(value: Any, apart: Any) -> Any:
        """The value of the lane whose number differs in the bit `apart`."""
        return cuda.shfl_xor_sync(EVERYONE, value, apart)


def summed_over(least: int, most: int) -> Any:
    """A device function: for each lane the sum over those whose numbers differ in the bits from `least` to below `most`."""

    @inlined
    def total(value: Any) -> Any:
        return value

    bit = least
    while bit < most:
        total = _and_over(bit, total)
        bit *= 2
    return total


def _and_over(bit: int, total: Any) -> Any:
    @inlined
    def more(value: Any) -> Any:
        so_far = total(value)
        return so_far + exchange(so_far, bit)

    return more
