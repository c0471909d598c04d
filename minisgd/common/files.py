"""How every file is written: beside, then in place, so that a full disk or a kill at any moment leaves the old one whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, content: str | bytes) -> None:
    """Write a file in one step: what is at `path` is the old one or the new one, never a part.

    Folders that are missing are made, and a link goes on pointing where it did. What is no plain file, such as a pipe or
    ``/dev/stdout``, cannot be put in place of anything: it is written to as it is.

    Raises
    ------
    OSError
        If it cannot be written; the old file is whole.
    """
    data = content.encode("utf-8", errors="backslashreplace") if isinstance(content, str) else content
    target = path.resolve()
    if target.exists() and not (target.is_file() or target.is_dir()):
        target.write_bytes(data)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def as_json(found: Any) -> str:
    """JSON as any reader takes it: ASCII, whatever the locale, and no NaN or infinity, which JSON does not have.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return json.dumps(found, indent=1, allow_nan=False) + "\n"
