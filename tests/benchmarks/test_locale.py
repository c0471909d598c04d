"""In a locale of ASCII alone files are read and written as anywhere, and the output loses letters at most."""

from __future__ import annotations

import os
import subprocess
import sys

import asv_results
import pytest
from runs_for_tests import MACHINE, make_record, make_run

from benchmarks.harness.records import save

CPU = "a CPU of 5 µm, ĉ"


@pytest.fixture
def kept(tmp_path):
    run = make_run(make_record())
    save(run.model_copy(update={"machine": MACHINE.model_copy(update={"cpu": CPU})}), tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text(encoding="utf-8").replace("\\u00b5", "µ").replace("\\u0109", "ĉ")
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    asv_results.history(tmp_path / "results", [1, 1, 2, 2])
    about = tmp_path / "results" / "here" / "machine.json"
    about.write_text(about.read_text(encoding="utf-8").replace("a CPU", CPU), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["benchmarks", "show", "run.json", "--json", "-"],
        ["benchmarks", "show", "--asv", "results", "--plot", "ladder"],
        ["benchmarks", "history", "--asv", "results", "--plot", "history", "--json", "history.json"],
        ["benchmarks", "report", "--run", "run.json", "--asv", "results", "--out", "page"],
        ["benchmarks", "export", "--run", "run.json", "--format", "csv", "--out", "export"],
        ["minisgd", "experiment", "noise", "--plot", "noise", "--json", "noise.json"],
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_a_command(kept, command):
    root = os.getcwd()
    locale = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": root}
    done = subprocess.run([sys.executable, "-m", *command], cwd=kept, env=locale, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    if "page" in command:
        assert CPU in (kept / "page/index.html").read_text(encoding="utf-8")
    if "export" in command:
        assert CPU in (kept / "export/records.csv").read_text(encoding="utf-8")
