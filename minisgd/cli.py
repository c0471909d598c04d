"""What every command line of this project does with bad input: one line that says what to do, and status 2."""

from __future__ import annotations

import sys
from typing import Any

INTERRUPTED = 130


class UsageError(ValueError):
    """Bad input: what was wrong, what was expected, what to do."""


def run(app: Any, name: str) -> int:
    """Run a typer application; its exit status. An exception that is neither bad input nor Ctrl-C is a fault of ours."""
    import typer

    try:
        return int(app(standalone_mode=False, prog_name=name) or 0)
    except UsageError as error:
        reason = str(error)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer's own complaints about the command line have it
            raise
        reason = error.format_message()
    print(f"error: {reason.partition(chr(10))[0]}", file=sys.stderr)
    return 2
