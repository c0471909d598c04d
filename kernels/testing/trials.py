"""Trials that may end the process have one of their own.

A trial that crashes costs that process, is named, and the others go on in the next one.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

CALLERS = 3
TIMEOUT_S = 120.0


class Trial(NamedTuple):
    """A module's function that is called as ``function(name, dtype)``, and returns what is wrong, or None.

    Parameters
    ----------
    name, dtype : str
        Of what is tried.
    what : str
        What is tried, in words.
    function : callable
    """

    name: str
    dtype: str
    what: str
    function: Callable[[str, str], str | None]


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
    return f"{trial.name} {trial.dtype}, {trial.what}: {found}"


def _death(status: int) -> str:
    return f"the process died of {signal.Signals(-status).name}" if status < 0 else f"the process exited with status {status}"


def _try(pipe: Connection, trials: list[Trial]) -> None:
    """The process's life: each answer is None, or what is wrong."""
    faulthandler.enable()  # where it crashed, for pytest to show
    sys.setswitchinterval(1e-5)  # callers' threads take turns often enough to meet in what they share
    for trial in trials:
        try:
            answer = trial.function(trial.name, trial.dtype)
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)


def at_once(call: Callable[[int], str | None]) -> str | None:
    """What is wrong first where several of a caller's threads make a call at once, each with its number."""
    found: list[str | None] = []
    ready = threading.Barrier(CALLERS)

    def one(number: int) -> None:
        ready.wait()
        try:
            found.append(call(number))
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")

    callers = [threading.Thread(target=one, args=(number,)) for number in range(CALLERS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    return next(filter(None, found), None)


def on_each_count(call: Callable[[], str | None]) -> str | None:
    """What is wrong first on one thread, two and three, by numba's count and by torch's; a BLAS sees to its own."""
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    for threads in (1, 2, 3):  # and so many are left to the trials after it
        if torch:
            torch.set_num_threads(threads)
        if numba:
            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        if found := call():
            return f"{found} on {threads} threads"
    return None
