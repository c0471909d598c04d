"""Options of the command lines of both packages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _writable(json: str | None) -> str | None:
    """What was given, if it can be written: found out here, not after minutes of measuring."""
    from minisgd.common.terminal import require_file

    if json not in (None, "-"):
        require_file("--json", Path(json))
    return json


Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="PATH|-", callback=_writable, help="Write the result as JSON to a file, or to standard output for -."
    ),
]
