"""Files are written beside their place and then renamed, so that a full disk or a kill leaves the old file whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, content: str | bytes) -> None:
    """Write a file in one step: at any moment `path` is the old file or the new one, never a part.

    Missing folders are made, and the target of a link is written. A pipe or a device, such as ``/dev/stdout``, is written to
    directly.

    Raises
    ------
    OSError
        If it cannot be written, with the path as its filename; the old file is whole.
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
    except OSError as error:
        error.filename = str(path)  # a full disk names none, and of the file beside it nobody knows
        raise
    finally:
        beside.unlink(missing_ok=True)


def as_json(found: Any) -> str:
    """JSON that every reader accepts: ASCII, with neither NaN nor infinity.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return json.dumps(found, indent=1, allow_nan=False) + "\n"
