"""No exception reaches the user as a traceback, and none ends with the status of a verdict."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from minisgd.common import cli
from minisgd.common.cli import UsageError


def application(error):
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError("size 0: expected 1"), 2, "error: size 0: expected 1"),
        (FileNotFoundError(2, "No such file or directory", "a.json"), 2, "error: a.json: No such file or directory"),
        (OSError("no strerror"), 2, "error: output: no strerror"),
        (
            ModuleNotFoundError("no", name="rich"),
            2,
            "error: rich is not installed; the commands need it: pip install 'minisgd[bench]'",
        ),
        (
            ModuleNotFoundError("no", name="torch"),
            2,
            "error: torch is not installed; the commands need it: pip install 'minisgd[torch]'",
        ),
        (ZeroDivisionError("division by zero"), 70, "error: a fault of this program: ZeroDivisionError: division by zero"),
        (RecursionError(), 70, "error: a fault of this program: RecursionError"),
        (UsageError("two\nlines \x1b[31m"), 2, "error: two"),
        (UsageError("red \x1b[31m"), 2, "error: red ?[31m"),
        (ImportError("NUMBA_DISABLE_JIT is set; unset it"), 2, "error: NUMBA_DISABLE_JIT is set; unset it"),
        (MemoryError("Unable to allocate 364. TiB"), 2, "error: not enough memory: Unable to allocate 364. TiB; expected"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_exception_is_one_line_and_no_verdict(error, status, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x"])
    monkeypatch.setattr(cli, "_discard_output", lambda: None)
    assert cli.run(application(error), "x") == status
    lines = capsys.readouterr().err.splitlines()
    assert lines == ([line for line in lines if line.startswith(said)] if said else [])
    assert len(lines) == bool(said)


def test_a_fault_shows_where_it_is_if_asked(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x"])
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(ZeroDivisionError):
        cli.run(application(ZeroDivisionError()), "x")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("train >&-", 0, ""),
        ("data | true", 141, ""),
        ("train >/dev/full", 2, "error: output: No space left on device"),
        ("train --plot '' >/dev/null", 2, "error: --plot: expected the name of a file"),
    ],
)
def test_an_output_that_cannot_be_written_is_no_traceback(command, status, said, tmp_path):
    line = f"set -o pipefail; {sys.executable} -m minisgd {command}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr.strip().startswith(said)
    assert "Traceback" not in done.stderr
    assert len([each for each in done.stderr.splitlines() if each.strip()]) == bool(said)
    assert done.returncode == status


def without(module, code):
    """What a fresh interpreter makes of code where a module is not installed."""
    line = f"import sys; sys.modules[{module!r}] = None\n{code}"
    return subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, timeout=120, check=False)


def test_commands_without_typer_name_what_to_install():
    done = without("typer", "import runpy; runpy.run_module('minisgd', run_name='__main__')")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: typer is not installed; the commands need it: pip install 'minisgd[bench]'\n"


def test_help_needs_no_typer(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["minisgd", "--help"])
    assert cli.without_typer("``python -m minisgd``: train.") == 0
    assert capsys.readouterr().out.startswith("python -m minisgd: train.\n\ntyper is not installed;")


def test_products_and_training_do_without_torch():
    code = """
import numpy as np, kernels
from minisgd.data import airfoil
from minisgd.train import Settings, train
print(kernels.matmul(np.eye(2), np.eye(2)).sum(), train(airfoil(), Settings(step="numpy")).points[-1].loss < 0.25)
"""
    done = without("torch", code)
    assert done.stdout.split() == ["2.0", "True"], done.stderr
