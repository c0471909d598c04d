"""How a worker sleeps, and what wakes it: a lock of CPython's, held while the worker is awake, that it waits for to sleep.

That lock lies in memory, a semaphore on Linux: it has no file descriptor that a program might close. It needs no interpreter, and
a signal does not end the wait (`Python/thread_pthread.h`). Compiled code takes it: a thread that came back to Python to sleep
would wait for the interpreter's lock, which the caller takes again between its products.
"""

from __future__ import annotations

import ctypes
import threading

import numpy as np
from numba import types
from numpy.typing import NDArray

from kernels.jit.caching import inner
from kernels.jit.memory import whole
from kernels.packed.pool.affinity import MASKS_BYTES, keep_off, let_back
from kernels.packed.pool.atomics import load, store

ASLEEP, LOCK, WORKER, MASKS, SLEEPER_BYTES = 0, 8, 16, 64, 64 + MASKS_BYTES
"""Bytes from a sleeper's address to whether the worker sleeps, its lock, the worker's number in the system, and processors."""

_acquire_lock = types.ExternalFunction("PyThread_acquire_lock", types.int32(types.int64, types.int32))
_release_lock = types.ExternalFunction("PyThread_release_lock", types.void(types.int64))
_new_lock = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", ctypes.pythonapi))
_acquire_new_lock = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", ctypes.pythonapi))


def prepare(sleeper: NDArray[np.int64]) -> None:
    """Make this memory the sleeper of the thread that calls this, which has no end, and so its lock."""
    lock = _new_lock()
    _acquire_new_lock(lock, 1)
    sleeper[LOCK // 8], sleeper[WORKER // 8] = lock, threading.get_native_id()


@inner
def sleeps(sleeper: int) -> bool:
    """Whether the worker sleeps."""
    return load(sleeper + ASLEEP) != 0


@inner
def wake(sleeper: int) -> None:
    """Wake the worker, if it sleeps."""
    if sleeps(sleeper):
        store(sleeper + ASLEEP, 0)
        keep_off(whole(sleeper + WORKER), sleeper + MASKS)
        _release_lock(whole(sleeper + LOCK))


@inner
def sleep(sleeper: int) -> None:
    """Until another thread wakes this one."""
    store(sleeper + ASLEEP, 1)
    _acquire_lock(whole(sleeper + LOCK), 1)
    let_back(sleeper + MASKS)
