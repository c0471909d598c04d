"""``python -m benchmarks``: the commands, and their exit status.

0 fine; 1 a regression, or a check that failed; 2 bad usage, with one line that says what to do; 3 inconclusive; 4 nothing
was measured.
"""

from __future__ import annotations

import sys

try:
    import typer
except ModuleNotFoundError:
    from minisgd.common.cli import without_typer

    sys.exit(without_typer(__doc__ or ""))

from benchmarks.commands.agree import agree
from benchmarks.commands.compare import compare
from benchmarks.commands.export import export
from benchmarks.commands.frameworks import frameworks
from benchmarks.commands.gate import for_bisect, gate
from benchmarks.commands.history import history
from benchmarks.commands.inside import inside
from benchmarks.commands.kernels import kernels
from benchmarks.commands.machine import machine
from benchmarks.commands.merge import merge
from benchmarks.commands.profile import profile
from benchmarks.commands.report import report
from benchmarks.commands.run import run
from benchmarks.commands.scale import scale
from benchmarks.commands.show import show
from benchmarks.commands.tour import tour
from benchmarks.commands.tune import tune
from minisgd.common import cli

app = typer.Typer(
    help="Measure matrix products, from the textbook's loop to the machine's limit.\n\nExample: python -m benchmarks run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("tour")(tour)
app.command("run")(run)
app.command("merge")(merge)
app.command("scale")(scale)
app.command("show")(show)
app.command("machine")(machine)
app.command("list")(kernels)
app.command("tune")(tune)
app.command("report")(report)
app.command("compare")(compare)
app.command("inside")(inside)
app.command("profile")(profile)
app.command("frameworks")(frameworks)
app.command("gate")(gate)
app.command("history")(history)
app.command("export")(export)
app.command("agree")(agree)


def main(name: str = "python -m benchmarks") -> int:
    """Run a command; bad input is one line and status 2. The name is what was typed."""
    status = cli.run(app, name)
    # Not in the command: a wrong option, too, is no reason to call a commit bad.
    return for_bisect(status) if "--bisect" in sys.argv else status


if __name__ == "__main__":
    sys.exit(main())
