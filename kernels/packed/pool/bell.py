"""A bell: what wakes a helper that sleeps, and not on the processor of the one who rings.

Linux likes to start a thread beside the one that wakes it, and takes milliseconds to move it to a processor that is idle; until
then the two take turns on one. So on Linux the helper is kept off the ringing thread's processor until it is awake.

All of it runs in compiled code. A thread that came back to Python to sleep would wait for the interpreter's lock, which the
caller takes again between its products.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from kernels.jit.caching import inner
from kernels.jit.memory import whole, write
from kernels.packed.pool.tasks import counter, set_counter

MASK_BYTES = 128
"""Of a set of processors, a bit for each: 1,024 as Linux has them."""

ASLEEP, LISTENS, RINGS, THREAD, BYTE, AWAY, WHOLE = 0, 8, 16, 24, 32, 64, 64 + MASK_BYTES
"""Bytes from a bell's address to whether its helper sleeps, its pipe's two ends, the helper's number in the system, a byte
to pass through, and the processors where it may wake, and where it may run."""

BELL_BYTES = WHOLE + MASK_BYTES


def hang(bell: NDArray[np.uint8]) -> None:
    """Make a bell for the thread that calls this, in memory of `BELL_BYTES`."""
    numbers = bell[:AWAY].view(np.int64)
    numbers[THREAD // 8] = threading.get_native_id()
    if sys.platform == "linux":
        processors = sum(1 << cpu for cpu in os.sched_getaffinity(0)).to_bytes(MASK_BYTES, "little")
        bell[WHOLE:] = np.frombuffer(processors, np.uint8)
    numbers[LISTENS // 8 : RINGS // 8 + 1] = os.pipe()


@inner
def sleeps(bell: int) -> bool:
    """Whether the helper sleeps."""
    return counter(bell + ASLEEP) != 0


@inner
def ring(bell: int) -> None:
    """Wake the helper, if it sleeps."""
    if sleeps(bell):
        set_counter(bell + ASLEEP, 0)
        keep_off(bell)
        _write(whole(bell + RINGS), bell + BYTE, 1)


@inner
def sleep(bell: int) -> None:
    """Until the bell rings."""
    set_counter(bell + ASLEEP, 1)
    _read(whole(bell + LISTENS), bell + BYTE, 1)
    run_anywhere(bell)


def _system(name: str, result: Any, *arguments: Any) -> Any:
    return types.ExternalFunction(name if os.name == "posix" else f"_{name}", result(*arguments))


_read, _write = (_system(name, types.int64, types.int32, types.int64, types.int64) for name in ("read", "write"))

if os.name == "posix":
    _clock = _system("clock_gettime", types.int32, types.int32, types.int64)

    @inner
    def microseconds(room: int) -> int:
        """Of a clock that only goes forward; it needs room for two words."""
        _clock(time.CLOCK_MONOTONIC, room)
        return whole(room) * 1_000_000 + whole(room + 8) // 1_000

else:

    @inner
    def microseconds(room: int) -> int:
        """None: this system's clock is not known here."""
        return 0


if sys.platform == "linux":
    _processor = _system("sched_getcpu", types.int32)
    _allow = _system("sched_setaffinity", types.int32, types.int32, types.int64, types.int64)

    @inner
    def keep_off(bell: int) -> None:
        """Let the helper wake on any processor but this one; if it has no other, the system refuses, and this it is."""
        here = _processor()
        for place in range(0, MASK_BYTES, 8):
            word = whole(bell + WHOLE + place)
            if here // 64 == place // 8:
                word &= ~(np.int64(1) << (here % 64))
            write(bell + AWAY + place, word)
        _allow(whole(bell + THREAD), MASK_BYTES, bell + AWAY)

    @inner
    def run_anywhere(bell: int) -> None:
        """Let this thread run on any processor that it could at first."""
        _allow(0, MASK_BYTES, bell + WHOLE)

else:

    @inner
    def keep_off(bell: int) -> None:
        """Nothing: only on Linux is it known to matter."""

    @inner
    def run_anywhere(bell: int) -> None:
        """Nothing: it always may."""
