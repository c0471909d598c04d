"""Forks wait until no thread is loading a backend or compiling.

A child has the thread that forked and no other. A lock that another one held stays held in it for ever, and a module or function
that it was making stays half made. So the forking thread takes those locks first, as Python's logging does (its issue 6721).
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

Lock = TypeVar("Lock", bound=Any)

_held: list[tuple[int, Any]] = []


def held_over_forks(lock: Lock, rank: int) -> Lock:
    """Have every fork of this process wait for a lock; those of lower rank are taken first, as threads that take several do."""
    _held.append((rank, lock))
    _held.sort(key=lambda each: each[0])
    return lock


def _take() -> None:
    for _, lock in _held:
        lock.acquire()


def _release() -> None:
    for _, lock in reversed(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_release, after_in_child=_release)
