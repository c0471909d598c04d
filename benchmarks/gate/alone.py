"""One gate at a time on a machine, whoever runs it; and nothing is left of one that was killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from filelock import FileLock, Timeout

from minisgd.common.cli import UsageError

SHARED = Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())
"""A folder that all users have in common: on macOS, and in many a job, the temporary folder is the user's own."""

LOCK = SHARED / "minisgd-gate.lock"

PREFIX, HELD = "minisgd-gate-", ".held"
"""Of a gate's folders, and the file in each that its gate holds locked. The system lets go of it when the process is gone."""


def take() -> FileLock:
    """Hold the machine's lock, and remove what killed gates have left; release it in the end.

    Raises
    ------
    UsageError
        If another gate holds it, or it cannot be opened.
    """
    held = FileLock(LOCK, mode=0o666)  # to be locked by all users
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise UsageError("another gate is running on this machine, and each would disturb the other; wait for it") from None
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"{LOCK}: {why}; gates take turns by locking this file: have its owner remove it") from None
    _sweep()
    return held


@contextmanager
def folder() -> Iterator[Path]:
    """Make a temporary folder that is gone afterwards; if the process is killed, when the next gate begins."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as made, FileLock(Path(made, HELD)):
        yield Path(made)


def _sweep() -> None:
    """Remove folders that no process holds. No gate is about to hold its own, since this one has the machine."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if (left / HELD).is_file():
                with FileLock(left / HELD, timeout=0):
                    pass
                rmtree(left, ignore_errors=True)
        except (Timeout, OSError):  # in use, or another user's
            continue
