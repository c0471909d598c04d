"""``python -m benchmarks``: the commands, and their exit status.

0 fine; 1 a regression, or a check that failed; 2 bad usage, with one line that says what to do; 3 inconclusive; 4 nothing
was measured.
"""

from __future__ import annotations

import sys

import typer

from benchmarks.commands.kernels import kernels
from benchmarks.commands.machine import machine
from benchmarks.commands.run import run
from benchmarks.commands.show import show
from benchmarks.commands.tune import tune
from benchmarks.harness.errors import UsageError

app = typer.Typer(
    help="Measure matrix products, from the textbook's loop to the machine's limit.\n\nExample: python -m benchmarks run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run)
app.command("show")(show)
app.command("machine")(machine)
app.command("list")(kernels)
app.command("tune")(tune)


def main() -> int:
    """Run a command; bad input is one line and status 2."""
    try:
        return int(app(standalone_mode=False, prog_name="python -m benchmarks") or 0)
    except UsageError as error:
        reason = str(error)
    except typer.Abort:
        return 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer's own complaints about the command line have it
            raise
        reason = error.format_message().partition("\n")[0]
    print(f"error: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
