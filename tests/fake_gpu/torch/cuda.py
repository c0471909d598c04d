"""The GPU itself.

`FAKE_GPU` in the environment says what is the matter with it: none, old or busy. With `FAKE_GPU_LATE` whoever waits for it waits
20 ms.
"""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

ILLEGAL = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported"
BUSY = "CUDA error: CUDA-capable device(s) is/are busy or unavailable\nCompile with TORCH_USE_CUDA_DSA"

lost = False
cycles: list[int] = []
"""Of each delay."""

taken = peak = 0


class OutOfMemoryError(RuntimeError):
    pass


def is_available():
    return os.environ.get("FAKE_GPU") != "none"


def get_device_properties(index):
    if os.environ.get("FAKE_GPU") == "busy":
        raise RuntimeError(BUSY)
    major = 6 if os.environ.get("FAKE_GPU") == "old" else 9
    return SimpleNamespace(name="a GPU", major=major, minor=0, L2_cache_size=1 << 20, multi_processor_count=4, uuid="0-1")


def illegal_address():
    """What a kernel does that writes where it may not: the call returns, and every later one fails."""
    global lost
    lost = True


def check():
    if lost:
        raise RuntimeError(ILLEGAL)


def synchronize():
    check()
    if os.environ.get("FAKE_GPU_LATE"):
        time.sleep(0.02)


def _sleep(count):
    check()
    cycles.append(count)


class Event:
    def __init__(self, enable_timing=False):
        assert enable_timing

    def record(self):
        check()
        self.at = time.perf_counter()

    def synchronize(self):
        check()

    def elapsed_time(self, end):
        return (end.at - self.at) * 1e3


def empty_cache():
    pass


def take(size):
    """Memory that a call takes and gives back."""
    global peak
    peak = max(peak, taken + size)


def memory_allocated():
    return taken


def memory_reserved():
    return taken


def mem_get_info():
    return 1 << 30, 1 << 31


def reset_peak_memory_stats():
    global peak
    peak = taken


def max_memory_allocated():
    return peak
