"""The one place that sets the number of threads: of the BLAS, of OpenMP, of torch and of numba."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import threadpoolctl

from benchmarks.harness.host.quota import quota

CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Logical CPUs that this process may use."""

CORES = max(1, min(CPUS, int(quota() or CPUS)))
"""As many as it may use all of the time: a quota stops a process with more threads, as soon as they have used it up."""


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Hold every thread pool that is loaded by now at `threads` threads; import what is to be limited before."""
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    before = torch and torch.get_num_threads(), numba and numba.get_num_threads()
    with threadpoolctl.threadpool_limits(threads):
        if torch:
            torch.set_num_threads(threads)
        if numba:
            numba.set_num_threads(threads)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before[0])
            if numba:
                numba.set_num_threads(before[1])


def settings() -> dict[str, int]:
    """Threads of each pool in this process, as the pools themselves report them."""
    found = {pool["internal_api"]: int(pool["num_threads"]) for pool in threadpoolctl.threadpool_info()}
    for name in ("torch", "numba"):
        if module := sys.modules.get(name):
            found[name] = int(module.get_num_threads())
    return found


def cpus() -> list[int]:
    """Numbers of the logical CPUs that this process may use; none where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def pinned(cpu: int | None) -> Iterator[None]:
    """Keep this process's threads on one logical CPU; anywhere, if that is None or the system cannot.

    All its threads, before and after: a pool that is started meanwhile would stay where it began.
    """
    before = set(cpus())
    if cpu is None or not before:
        yield
        return
    _move({cpu})
    try:
        yield
    finally:
        _move(before)


def _move(where: set[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it has ended since
            os.sched_setaffinity(int(thread), where)
