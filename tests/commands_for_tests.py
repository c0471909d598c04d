"""Command lines run in this process, as a shell would run them in one of their own: most need no interpreter started for them.

Those that measure a stranger's kernels have a process of their own, and two rounds.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from subprocess import CompletedProcess
from unittest.mock import patch

from minisgd.common import cli


def run(package: str, *arguments: object) -> CompletedProcess[str]:
    """What ``python -m package ARGUMENTS`` says, and its exit status."""
    line = [package, *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", line),
        patch.object(cli, "_discard_output", lambda: None),  # the descriptor is this process's
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = import_module(f"{package}.__main__").main()
    return CompletedProcess(line, status, out.getvalue(), err.getvalue())


IN_TWO_ROUNDS = """
import sys
from functools import partial
from benchmarks import __main__ as program
from benchmarks.commands import run as command

def measure(*given):
    from benchmarks.harness import runs  # and numpy, which reads the environment
    runs.ROUNDS, runs.execute = 2, partial(runs.execute, rounds=2)
    return in_all_rounds(*given)

in_all_rounds, command.measure = command.measure, measure
sys.exit(program.main())
"""


def measure(*arguments: object, environment: Mapping[str, str], timeout_s: float = 280) -> CompletedProcess[str]:
    """What ``python -m benchmarks ARGUMENTS`` says in a process with those variables, of runs that have two rounds."""
    line = [sys.executable, "-c", IN_TWO_ROUNDS, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=timeout_s, check=False)
