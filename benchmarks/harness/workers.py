"""A worker: a fresh process that calls functions for the harness, and may crash, hang or be killed without harm.

`concurrent.futures` loses the exit code and cannot end a call that hangs; pebble can, but wakes up several times a second
beside what is measured. So this is a pipe and a spawned process, waiting in the kernel on both sides.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import spawn
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TextIO, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

ORPHAN_S = 5.0
"""A worker whose parent is gone ends itself this long after its call was due."""


class WorkerFailure(Exception):
    """A call raised, crashed or hung; the message says which."""


class Unusable(Exception):
    """Raised by a call in a worker: it has failed for the reason given, and so would every later one in this process."""


@dataclass(frozen=True)
class Home:
    """Whose code a worker runs.

    Parameters
    ----------
    python : str
        Interpreter.
    path : tuple of str
        Where it looks for modules, first to last; this process's own if empty.
    environment : mapping of str to str
        Variables set before anything of ours is imported.
    cpus : tuple of int
        Logical CPUs that it is kept on, if any are named: the one limit that a library with threads of its own cannot pass.
    """

    python: str = sys.executable
    path: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    cpus: tuple[int, ...] = ()


class Worker:
    """A process of its own for one backend and thread count. It starts when it is first called, and again after a crash."""

    def __init__(self, home: Home | None = None) -> None:
        self._home = home or Home()
        self._process: Any = None
        self._pipe: Connection
        self._log: Path

    def call(self, function: Callable[P, R], timeout_s: float, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a module-level function in the worker.

        Raises
        ------
        WorkerFailure
            With the reason in one line; the worker is gone, unless the function merely raised, and nothing `Unusable`.
        """
        if self._process is None:
            self._start()
        try:
            self._pipe.send((function, timeout_s, args, kwargs))
            if not self._pipe.poll(timeout_s):
                self.close()
                raise WorkerFailure(f"no answer within {timeout_s:g} s")
            answer, failure, usable = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            reason, said = _death(self._process.exitcode), self._last_words()
            self.close()
            raise WorkerFailure(f"{reason}: {said}" if said else reason) from None
        if not usable:
            self.close()
        if failure:
            raise WorkerFailure(failure)
        return answer  # type: ignore[no-any-return]

    @property
    def running(self) -> bool:
        """Whether it has a process."""
        return self._process is not None

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._log.unlink(missing_ok=True)
            self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        handle, name = tempfile.mkstemp(prefix="minisgd-worker-")
        os.close(handle)
        self._log = Path(name)
        process = context.Process(target=_serve, args=(theirs, name, self._home), daemon=True)
        spawn.set_executable(self._home.python)
        try:
            process.start()
        except BaseException:  # of one whose start was interrupted nothing can be asked, not even to end
            self._log.unlink(missing_ok=True)
            raise
        finally:
            spawn.set_executable(sys.executable)
        self._process = process
        theirs.close()

    def _last_words(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace", encoding="utf-8").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


def one_line(error: Exception) -> str:
    """Type and first line of an exception."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _death(exitcode: int) -> str:
    if exitcode < 0:
        return f"the process died of {signal.Signals(-exitcode).name}"
    return f"the process exited with status {exitcode}"


def _serve(pipe: Connection, log: str, home: Home) -> None:
    """A worker's life, which ends when the parent's does. What kernels print goes to the log."""
    sys.path[:] = home.path or sys.path
    os.environ.update(home.environment)
    if home.cpus:
        os.sched_setaffinity(0, home.cpus)
    early = sorted({name.partition(".")[0] for name in sys.modules} & {"kernels", "minisgd"}) if home.path else []
    if early:  # a script that is not a package's __main__ is run again in its workers, with its imports
        raise ImportError(f"{', '.join(early)}: imported before the worker knew from where; start from python -m")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    file = open(log, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 (open as long as the process)
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
    sys.stdout = sys.stderr = file
    with suppress(EOFError, ConnectionError):
        answer(pipe, file)
    with suppress(OSError):  # Windows removes no open file
        os.unlink(log)  # as the parent would have, which is gone


def answer(pipe: Connection, file: TextIO) -> NoReturn:
    """Answer calls, until the pipe breaks; tracebacks of those that take too long go to the file."""
    while True:
        function, timeout_s, args, kwargs = pipe.recv()
        # A thread of the C runtime's own: it fires even if the call hangs with the interpreter's lock held.
        faulthandler.dump_traceback_later(timeout_s + ORPHAN_S, exit=True, file=file)
        said: tuple[Any, str | None, bool]
        try:
            said = function(*args, **kwargs), None, True
        except Unusable as error:
            said = None, str(error), False
        except Exception as error:  # a kernel, a library or a driver may raise anything
            said = None, one_line(error), True
        faulthandler.cancel_dump_traceback_later()
        pipe.send(said)
