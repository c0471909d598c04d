"""How a worker sleeps, and what wakes it: a lock of CPython's, held while the worker is awake, that it waits for to sleep.

That lock lies in memory, a semaphore on Linux: it has no file descriptor that a program might close. It needs no interpreter, and
a signal does not end the wait (`Python/thread_pthread.h`). Compiled code takes it: a thread that came back to Python to sleep
would wait for the interpreter's lock, which the caller takes again between its products.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from kernels.jit.atomics import load, store
from kernels.jit.caching import inner
from kernels.jit.emit import LINE
from kernels.jit.records import layout_of, record_at
from kernels.packed.pool.affinity import MASKS_BYTES, keep_off, let_back

sleeper_layout = layout_of(
    (
        "asleep",  # whether the worker sleeps: a word for atomic operations
        "lock",  # address of what it waits for
        "worker",  # its number in the system
    )
)
_at, SLEEPER = record_at(sleeper_layout), sleeper_layout(np.dtype(np.int64))

MASKS, SLEEPER_BYTES = LINE, LINE + MASKS_BYTES
"""Bytes from a sleeper's address to the processors where the worker may run, and to the next sleeper."""

_acquire_lock = types.ExternalFunction("PyThread_acquire_lock", types.int32(types.int64, types.int32))
_release_lock = types.ExternalFunction("PyThread_release_lock", types.void(types.int64))
_new_lock = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", ctypes.pythonapi))
_acquire_new_lock = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", ctypes.pythonapi))


def prepare(sleeper: NDArray[Any]) -> None:
    """Make an array of one record the sleeper of the thread that calls this, which has no end, and so its lock."""
    lock = _new_lock()
    _acquire_new_lock(lock, 1)
    sleeper["lock"], sleeper["worker"] = lock, threading.get_native_id()


@inner
def sleeps(sleeper: int) -> bool:
    """Whether the worker sleeps."""
    return load(sleeper) != 0


@inner
def wake(sleeper: int) -> None:
    """Wake the worker, if it sleeps."""
    if sleeps(sleeper):
        store(sleeper, 0)
        keep_off(_at(sleeper, sleeper).worker, sleeper + MASKS)
        _release_lock(_at(sleeper, sleeper).lock)


@inner
def sleep(sleeper: int) -> None:
    """Until another thread wakes this one."""
    store(sleeper, 1)
    _acquire_lock(_at(sleeper, sleeper).lock, 1)
    let_back(sleeper + MASKS)
