"""The ranks of a job as workers: each answers calls of module-level functions, all of them at once, and sleeps in between.

So jobs of one, two and more ranks stand side by side and take turns, and those that wait take no processor from the one that is
measured: not even MPI's, which would spin. `multiprocessing`'s own pools start no job of mpirun's.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

from minisgd.common.cli import UsageError

P = ParamSpec("P")
R = TypeVar("R")

START_S = 120.0
"""For interpreters to start, on a busy machine."""

TRANSPORTS = {"gloo": "torch", "mpi": "mpi4py"}
"""What ranks may speak by, and the package that brings it."""


def installed(asked: Sequence[str]) -> list[str]:
    """The transports that were asked for; all that are there, if none was.

    Raises
    ------
    UsageError
        If one is unknown or not installed.
    """
    for name in asked:
        if name not in TRANSPORTS:
            raise UsageError(f"--transport {name}: expected {' or '.join(TRANSPORTS)}")
        if find_spec(TRANSPORTS[name]) is None:
            raise UsageError(f"--transport {name}: {TRANSPORTS[name]} is not installed; expected pip install 'minisgd[{name}]'")
    return list(asked) or [name for name, package in TRANSPORTS.items() if find_spec(package)]


class CrewFailure(Exception):
    """A rank raised, died or hung; the message says which, and of which job."""


class Crew:
    """The ranks of one job, started; use it as a context.

    Parameters
    ----------
    count : int
        Ranks.
    transport : {"gloo", "mpi"}

    Raises
    ------
    UsageError
        If what starts them is not installed.
    CrewFailure
        If a rank ends before it has begun.
    """

    def __init__(self, count: int, transport: str) -> None:
        self.count, self.transport = count, transport
        self._folder = Path(tempfile.mkdtemp(prefix="minisgd-crew-"))
        self._log = (self._folder / "log").open("w+", encoding="utf-8")
        self._processes: list[subprocess.Popen[str]] = []
        self._pipes: dict[int, Connection] = {}
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.bind(str(self._folder / "door"))
                door.listen(count)
                self._processes = [self._start(*line) for line in self._lines()]
                door.settimeout(0.5)
                self._admit(door)
        except BaseException:
            self.close()
            raise

    def call(self, function: Callable[P, R], timeout_s: float, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """Call a module-level function in every rank at once; what each returns, in their order.

        Raises
        ------
        CrewFailure
            If one fails; the job is over then, since the others wait for it.
        """
        for pipe in self._pipes.values():
            pipe.send((function, timeout_s, args, kwargs))
        answers: dict[int, Any] = {}
        deadline = time.monotonic() + timeout_s
        while len(answers) < self.count:
            due = [pipe for rank, pipe in self._pipes.items() if rank not in answers]
            ready = wait(due, max(0.0, deadline - time.monotonic()))
            if not ready:
                late = ", ".join(str(rank) for rank in range(self.count) if rank not in answers)
                self._fail(late, f"no answer within {timeout_s:g} s")
            for rank, pipe in self._pipes.items():
                if pipe in ready:
                    answers[rank] = self._answer(rank, pipe)
        return [answers[rank] for rank in range(self.count)]

    def close(self) -> None:
        """End all ranks, whatever they are doing."""
        for process in self._processes:
            process.terminate()  # mpirun ends its ranks
        for pipe in self._pipes.values():
            pipe.close()
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes, self._pipes = [], {}
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _lines(self) -> list[tuple[list[str], dict[str, str]]]:
        """Command lines, and what each needs in its environment."""
        own = [sys.executable, "-m", "benchmarks.scaling.rank", str(self._folder / "door")]
        if self.transport == "mpi" and self.count > 1:
            launcher = shutil.which("mpirun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
            if launcher is None:
                raise UsageError("mpirun: not found; expected an MPI, as pip install 'minisgd[mpi]' brings one")
            # Without it each rank would be kept on a core from the start, together with the threads that it may have.
            line = [launcher, "--bind-to", "none", "-n", str(self.count), *own]
            return [(line, {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})]
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(self.count)}
        return [(own, meeting | {"RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(self.count)]

    def _start(self, line: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        path = os.pathsep.join(each or os.getcwd() for each in sys.path)  # as `multiprocessing` hands it on
        return subprocess.Popen(
            line, env=os.environ | {"PYTHONPATH": path} | environment, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=self._log, text=True,
        )  # fmt: skip

    def _admit(self, door: socket.socket) -> None:
        """Let every rank in; each says which it is."""
        deadline = time.monotonic() + START_S
        while len(self._pipes) < self.count:
            with suppress(TimeoutError):
                visitor, _ = door.accept()
                pipe = Connection(visitor.detach())
                self._pipes[pipe.recv()] = pipe
            if any(process.poll() for process in self._processes) or time.monotonic() > deadline:
                missing = ", ".join(str(rank) for rank in range(self.count) if rank not in self._pipes)
                self._fail(missing, "did not start", silent=True)

    def _answer(self, rank: int, pipe: Connection) -> Any:
        try:
            answer, failure, _ = pipe.recv()
        except (EOFError, OSError):
            self._fail(str(rank), "the process died", silent=True)
        if failure:
            self._fail(str(rank), failure)
        return answer

    def _fail(self, ranks: str, reason: str, silent: bool = False) -> NoReturn:
        """Give up, with the last line that was printed if the rank itself has said nothing."""
        self._log.flush()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip("-* \n")]
        self.close()
        by = f" by {self.transport}" if self.transport else ""
        raise CrewFailure(f"rank {ranks} of {self.count}{by}: {reason}{f': {lines[-1]}' if lines and silent else ''}")


def _free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
