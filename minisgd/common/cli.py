"""What every command line of this project does when it cannot go on: one line that says what to do, and a telling status."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from minisgd.common.plain import printable

BAD_USAGE, FAULT, INTERRUPTED, PIPE_CLOSED = 2, 70, 130, 141
"""Exit statuses; a fault of ours is sysexits.h's EX_SOFTWARE, since 1 is a verdict. The last two are 128 and the signal."""

TRACEBACK = "MINISGD_TRACEBACK"
"""Environment variable; set, a fault of ours shows where it is."""


class UsageError(ValueError):
    """Bad input: what was wrong, what was expected, what to do."""


def run(app: Any, name: str) -> int:
    """Run a typer application; its exit status. No exception passes, but for a fault of ours with `TRACEBACK` set."""
    import typer

    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (open as long as the process)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a locale of ASCII alone loses a letter, not the table
    try:
        status = int(app(standalone_mode=False, prog_name=name) or 0)
        sys.stdout.flush()
        return status
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:  # nobody reads on, as behind head
        _let_go_of_output()
        return PIPE_CLOSED
    except UsageError as error:
        return _fail(str(error), BAD_USAGE)
    except OSError as error:
        _let_go_of_output()
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", BAD_USAGE)
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own complaints about the command line have it
            return _fail(error.format_message(), BAD_USAGE)
        if os.environ.get(TRACEBACK):
            raise
        return _fail(f"a fault of this program: {type(error).__name__}: {error}; {TRACEBACK}=1 shows where", FAULT)


def _fail(reason: str, status: int) -> int:
    """Say in one line, without control characters, why there is no result."""
    print("error:", printable((reason.splitlines() or [""])[0]), file=sys.stderr)
    return status


def _let_go_of_output() -> None:
    """Let what is left in buffers go nowhere, or the interpreter would complain of it as it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
