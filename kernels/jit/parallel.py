"""Parallel loops that are entered by several of a caller's threads.

Numba's workqueue, its only threading layer where neither OpenMP nor TBB is to be had, ends the process when a second thread
enters a parallel loop (numba manual, "The Threading Layers"; numba issue 9327). So there one enters after the other.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, nullcontext

import numba

_entrance = threading.Lock()


def entrance() -> AbstractContextManager[object]:
    """What a parallel loop is called under: ``with entrance(): loop(...)``."""
    try:
        alone = numba.threading_layer() == "workqueue"
    except ValueError:  # no parallel loop has run yet, and which layer it will be is not known
        alone = True
    return _entrance if alone else nullcontext()


def _after_fork() -> None:
    """In a child, where the thread that was inside is not."""
    global _entrance
    _entrance = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
