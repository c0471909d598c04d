"""Command lines run in this process, as a shell would run them in one of their own: most need no interpreter started for them."""

from __future__ import annotations

import io
import sys
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
