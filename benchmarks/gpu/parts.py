"""The parts, and how each is run: for so many seconds, its output in the log and on the screen as it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

NO_GPU = 2
"""Exit status of a part for which there is nothing to run on."""

CUT_SHORT = 124
"""Exit status of a part that ran out of time, as timeout(1) has it."""

GRACE_S = 5.0
"""From an interrupt, at which a run prints what it has, to the end."""


@dataclass(frozen=True)
class Part:
    """What is run, and for how long.

    Parameters
    ----------
    name : str
    seconds : float
        Of the eight minutes.
    command : tuple of str
        Arguments of the interpreter; OUT stands for the folder that is written to.
    before : tuple of str
        What the interpreter is run under.
    """

    name: str
    seconds: float
    command: tuple[str, ...]
    before: tuple[str, ...] = ()


QUICK = ("-m", "benchmarks", "run", "--device", "cuda", "--preset", "quick", "--runs", "OUT")
SGD = (
    "-m", "benchmarks", "run", "--workload", "sgd", "--device", "cuda", "--kernel", "torch", "--kernel", "torch-graph",
    "--kernel", "cuda-*", "--batch-size", "1", "--batch-size", "10", "--batch-size", "100", "--runs", "OUT",
)  # fmt: skip
TINY = ("-m", "benchmarks.gpu.tiny")
SANITIZER = ("compute-sanitizer", "--error-exitcode", "1", "--tool")

PARTS = (
    Part("preflight", 30, ("-m", "benchmarks.gpu.preflight")),
    Part("tile edges", 80, ("-m", "benchmarks.gpu.edges")),
    Part("quick run", 165, QUICK),
    Part("against cuBLAS", 80, ("-m", "benchmarks.gpu.versus")),
    Part("epochs", 45, SGD),
    Part("memcheck", 40, TINY, (*SANITIZER, "memcheck")),
    Part("racecheck", 40, TINY, (*SANITIZER, "racecheck")),
)
"""In the order of what is missed most if time runs out."""


class Log:
    """A file and standard output at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str]

    def __enter__(self) -> Self:
        self._file = self._path.open("w", buffering=1, encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, text: str) -> None:
        """Write text to both, at once."""
        self._file.write(text)
        self._file.flush()
        sys.stdout.write(text)
        sys.stdout.flush()


def run(part: Part, seconds: float, environment: Mapping[str, str], out: Path, log: Log) -> int:
    """Run a part for so many seconds at most; its exit status, or `CUT_SHORT`."""
    command = [*part.before, sys.executable, *(str(out) if word == "OUT" else word for word in part.command)]
    log.write(f"\n== {part.name}: {' '.join(command)}, at most {seconds:.0f} s\n")
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        log.write(f"{command[0]}: {error.strerror}\n")
        return 127
    copying = threading.Thread(target=_copy, args=(process.stdout, log))
    copying.start()
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        status = CUT_SHORT
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    with suppress(ProcessLookupError):  # its workers as well, which would hold the GPU
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    copying.join()
    if process.stdout:
        process.stdout.close()
    log.write(
        f"== {part.name}: {'cut short' if status == CUT_SHORT else f'status {status}'} after {time.monotonic() - start:.0f} s\n"
    )
    return status


def _copy(lines: IO[str] | None, log: Log) -> None:
    for line in lines or ():
        log.write(line)
