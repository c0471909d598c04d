"""Trials that may end the process: beside guarded memory, and from several threads at once. They have a process of their own.

A trial that crashes costs that process, is named, and the others go on in the next one.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection

from kernels import registry
from kernels.registry import Kernel
from kernels.testing import layouts
from kernels.testing.guarded import guarded
from kernels.testing.layouts import Array, Layout
from kernels.testing.products import wrong

SHAPES = [(1, 1, 1), (7, 5, 3), (17, 33, 9), (0, 3, 2), (3, 0, 2), (3, 2, 0), (131, 33, 20), (19, 300, 33)]
"""The last two are deeper and longer than the blocks that a kernel may cut a product into."""

SHARED = (67, 61, 71)
CALLERS = 3
TIMEOUT_S = 120.0

Trial = tuple[str, str, str]
"""A kernel's name, a dtype, and a key of `TRIALS`."""


def complaints(trials: list[Trial]) -> Iterator[str]:
    """Try all in as few processes as it takes; what is wrong, each complaint a line."""
    waiting = list(trials)
    while waiting:
        pipe, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(target=_try, args=(theirs, waiting), daemon=True)
        process.start()
        theirs.close()
        try:
            while waiting:
                if not pipe.poll(TIMEOUT_S):
                    yield _said(waiting.pop(0), f"no end within {TIMEOUT_S:g} s")
                    break
                if found := pipe.recv():
                    yield _said(waiting[0], found)
                waiting.pop(0)
        except EOFError:
            process.join()
            yield _said(waiting.pop(0), _death(process.exitcode or 0))
        finally:
            process.kill()
            process.join()
            pipe.close()


def _said(trial: Trial, found: str) -> str:
    name, dtype, what = trial
    return f"{name} {dtype}, {what}: {found}"


def _death(status: int) -> str:
    return f"the process died of {signal.Signals(-status).name}" if status < 0 else f"the process exited with status {status}"


def _try(pipe: Connection, trials: list[Trial]) -> None:
    """The process's life: each answer is None, or what is wrong."""
    faulthandler.enable()  # where it crashed, for pytest to show
    sys.setswitchinterval(1e-5)  # callers' threads take turns often enough to meet in what they share
    for name, dtype, what in trials:
        try:
            answer = TRIALS[what](registry.find(name), dtype)
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)


def beside(kernel: Kernel, dtype: str) -> str | None:
    """Products of matrices that end, or begin, where the process's memory does; the inputs cannot be written."""
    for shape in SHAPES:
        for order in (layouts.c, layouts.fortran):
            for last in (True, False):
                read, written = (partial(_lay, order, last, writable) for writable in (False, True))
                if found := wrong(kernel, dtype, shape, (read, read, written)):
                    return found
    return None


def _lay(order: Layout, last: bool, writable: bool, x: Array) -> Array:
    return guarded(order(x), last, writable)


def together(kernel: Kernel, dtype: str) -> str | None:
    """Products by several of a caller's threads at once, each with operands of its own."""
    found: list[str | None] = []
    ready = threading.Barrier(CALLERS)

    def call(seed: int) -> None:
        ready.wait()
        try:
            found.extend(wrong(kernel, dtype, SHARED, (layouts.c,) * 3, seed) for _ in range(3))
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")

    callers = [threading.Thread(target=call, args=(seed,)) for seed in range(CALLERS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    return next(filter(None, found), None)


def counts(kernel: Kernel, dtype: str) -> str | None:
    """Products on one thread, two and three, by numba's count and by torch's; a BLAS sees to its own."""
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    for threads in (1, 2, 3):  # and so many are left to the kernels after it
        if torch:
            torch.set_num_threads(threads)
        if numba:
            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        if found := wrong(kernel, dtype, SHARED, (layouts.c,) * 3):
            return f"{found} on {threads} threads"
    return None


TRIALS = {"beside guarded memory": beside, "from several threads at once": together, "on several threads": counts}
"""What is tried, in words."""


def trials(kernel: Kernel, dtype: str) -> list[Trial]:
    """Those that a kernel is put to."""
    return [(kernel.name, dtype, what) for what, function in TRIALS.items() if kernel.threads or function is not counts]
