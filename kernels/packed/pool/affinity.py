"""Where a worker wakes: not on the processor of the one who wakes it.

Linux likes to start a thread beside the one that wakes it, and takes milliseconds to move it to a processor that is idle; until
then the two take turns on one. So on Linux a worker is kept off that processor until it is awake.

What it may run on is read each time, and put back only if nobody has changed it meanwhile: `taskset` may have restricted it.
"""

from __future__ import annotations

import sys

import numpy as np
from numba import types

from kernels.jit.caching import inner
from kernels.jit.memory import whole, write

MASK_BYTES = 128
"""Of a set of processors, a bit for each: 1,024, as in the C library's. Linux refuses it where it knows of more."""

ALLOWED, ELSEWHERE, NOW = 0, MASK_BYTES, 2 * MASK_BYTES
"""Bytes to the processors where a worker might run before it was woken, to those without the caller's, and to those where it
may run once awake."""

MASKS_BYTES = 3 * MASK_BYTES


if sys.platform == "linux":
    _of_thread = types.int32(types.int32, types.int64, types.int64)
    _sched_getaffinity = types.ExternalFunction("sched_getaffinity", _of_thread)
    _sched_setaffinity = types.ExternalFunction("sched_setaffinity", _of_thread)
    _sched_getcpu = types.ExternalFunction("sched_getcpu", types.int32())

    @inner
    def keep_off(worker: int, masks: int) -> None:
        """Let a worker, by its number in the system, run on any processor but this one, if it may run on another."""
        if _sched_getaffinity(worker, MASK_BYTES, masks + ALLOWED) == 0:
            here = _sched_getcpu()
            for place in range(0, MASK_BYTES, 8):
                word = whole(masks + ALLOWED + place)
                if here // 64 == place // 8:
                    word &= ~(np.int64(1) << (here % 64))
                write(masks + ELSEWHERE + place, word)
            _sched_setaffinity(worker, MASK_BYTES, masks + ELSEWHERE)  # refused where no processor is left

    @inner
    def let_back(masks: int) -> None:
        """Let this thread run where it might before it was kept off, unless it has been told otherwise since."""
        if _sched_getaffinity(0, MASK_BYTES, masks + NOW) == 0:
            for place in range(0, MASK_BYTES, 8):
                if whole(masks + NOW + place) != whole(masks + ELSEWHERE + place):
                    return
            _sched_setaffinity(0, MASK_BYTES, masks + ALLOWED)

else:

    @inner
    def keep_off(worker: int, masks: int) -> None:
        """Nothing: only on Linux is it known to matter."""

    @inner
    def let_back(masks: int) -> None:
        """Nothing: it was not kept off."""
