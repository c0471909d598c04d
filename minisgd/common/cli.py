"""How every command ends when it cannot go on: with one line that says what to do, and an exit status."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from minisgd.common.plain import printable

FAILED, BAD_USAGE, INCONCLUSIVE, NOTHING_MEASURED = 1, 2, 3, 4
FAULT, INTERRUPTED, PIPE_CLOSED = 70, 130, 141
"""Exit statuses. FAULT is sysexits.h's EX_SOFTWARE, since 1 is a verdict; the last two are 128 plus the signal."""

TRACEBACK = "MINISGD_TRACEBACK"
"""Environment variable. If it is set, an unexpected error shows its traceback."""


class UsageError(ValueError):
    """Bad input: what was wrong, what was expected, what to do."""


def without_typer(about: str) -> int:
    """Answer a command line where typer is not installed, which brings the commands; return the exit status.

    Parameters
    ----------
    about : str
        What a request for help is answered with: the docstring of the commands' module.
    """
    missing = _missing("typer")
    if not {"--help", "-h"} & set(sys.argv):
        return _fail(missing, BAD_USAGE)
    print(about.replace("`", "").strip(), missing, sep="\n\n")
    return 0


def run(app: Any, name: str) -> int:
    """Run a typer application and return its exit status.

    An exception becomes one line on standard error; an unexpected one is raised if `TRACEBACK` is set.
    """
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
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        _discard_output()  # nobody reads on, as behind head; rich and typer would end with 1, which is a verdict
        return PIPE_CLOSED
    except UsageError as error:
        return _fail(str(error), BAD_USAGE)
    except OSError as error:
        _discard_output()
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", BAD_USAGE)
    except ModuleNotFoundError as error:
        return _fail(_missing(error.name or ""), BAD_USAGE)
    except ImportError as error:  # a package that is there and does not work here says why
        return _fail(str(error), BAD_USAGE)
    except MemoryError as error:
        return _fail(f"not enough memory: {error or 'none is left'}; expected something smaller", BAD_USAGE)
    except Exception as error:  # whatever it is, it ends in a line
        if hasattr(error, "format_message"):  # typer's own complaints about the command line have it
            return _fail(_complaint(error), BAD_USAGE)
        if os.environ.get(TRACEBACK):
            raise
        return _fail(f"a fault of this program: {type(error).__name__}: {error}; {TRACEBACK}=1 shows where", FAULT)


def _complaint(error: Any) -> str:
    """What typer has to complain of, and where to look; it says nothing of a command that is missing, and shows the help."""
    said, context = error.format_message().rstrip("."), getattr(error, "ctx", None)
    return f"{said or 'no command'}; see {context.command_path} --help" if context else said


def _missing(package: str) -> str:
    extra = "torch" if package == "torch" else "bench"
    return f"{package} is not installed; the commands need it: pip install 'minisgd[{extra}]'"


def _fail(reason: str, status: int) -> int:
    """Print the reason in one line, without control characters."""
    print("error:", printable((reason.splitlines() or [""])[0]), file=sys.stderr)
    return status


def _discard_output() -> None:
    """Discard what is still buffered: the interpreter would otherwise report it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
