"""The time, for compiled code."""

from __future__ import annotations

import os
import time

from numba import types

from kernels.jit.caching import inner
from kernels.jit.memory import whole

if os.name == "posix":
    _clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.int64))

    @inner
    def microseconds(timespec: int) -> int:
        """Of a clock that only goes forward; it writes two words at the address."""
        _clock_gettime(time.CLOCK_MONOTONIC, timespec)
        return whole(timespec) * 1_000_000 + whole(timespec + 8) // 1_000

else:

    @inner
    def microseconds(timespec: int) -> int:
        """None: this system's clock is not known here."""
        return 0
