"""The gate, end to end, on a small repository of its own whose second commit does one kernel's work twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

import commands_for_tests
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.commands import gate as gate_command
from benchmarks.gate import alone, budgets, grids, paired, probe, sides
from benchmarks.gate.verdict import LOOKS
from benchmarks.harness.devices import Cpu
from benchmarks.harness.workloads.gemm import Product
from kernels import registry
from minisgd.common.cli import UsageError

ROOT = Path(__file__).parents[3]
PLANTED = "    np.matmul(a, b, out=out)\n"

COUNTED = """

counted_s = 0.0
time.perf_counter = lambda: counted_s


def matmul(a: Matrix, b: Matrix, out: Matrix) -> None:
    global counted_s
    counted_s += 1e-5
    np.matmul(a, b, out=out)
"""
"""Puts a clock of its own into a side's workers, on which a product takes ten microseconds: what is tested is the gate, not the
machine that it happens to run on."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory, suite):
    """A clone with three commits: as it is, one kernel's work done twice, and one kernel gone."""
    folder = tmp_path_factory.mktemp("clone") / "suite"
    shutil.copytree(suite, folder)

    def git(*command):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *command], cwd=folder, check=True, capture_output=True, text=True
        )

    with open(folder / "benchmarks/gate/alone.py", "a", encoding="utf-8") as file:
        file.write(f"LOCK = Path({str(folder.parent / 'lock')!r})\n")  # no gate that runs beside the tests is in their way
    source = folder / "kernels/rungs/numpy_ops.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(PLANTED) == 1
    text = text.replace("np.matmul(", "matmul(").replace("import numpy as np\n", "import time\n\nimport numpy as np\n") + COUNTED
    source.write_text(text, encoding="utf-8")
    git("commit", "-qam", "first")
    git("tag", "first")
    planted = PLANTED.replace("np.", "")
    source.write_text(text.replace(planted, planted * 2), encoding="utf-8")
    git("commit", "-qam", "twice")
    git("tag", "twice")
    source.write_text(text.replace(planted, "    raise OSError('no luck')\n"), encoding="utf-8")
    git("commit", "-qam", "broken")
    git("tag", "broken")
    git("checkout", "-q", "first")
    return folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of its own, for this process and those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def gate(repository, *arguments, wait=True):
    command = [sys.executable, "-m", "benchmarks", "gate", *arguments]
    environment = os.environ | {"COLUMNS": "160"}
    if not wait:
        return subprocess.Popen(
            command, cwd=repository, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=280)


def left_behind():
    return list(Path(tempfile.gettempdir()).glob("minisgd-gate-*"))


@pytest.fixture
def here(repository, tmp_path, monkeypatch):
    """Gates run in this process, in the clone."""
    monkeypatch.setattr(alone, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(gate_command, "_end_as_interrupted", lambda: None)
    monkeypatch.chdir(repository)


@pytest.fixture
def gate_here(here, tmp_path, monkeypatch):
    """Run a gate in this process; its result, its blocks, and the row of each kernel.

    One block is measured, and taken for each that follows: where time is counted, all are alike.
    """
    blocks, measure = [], paired.block

    def once(*given):
        blocks.append(blocks[0] if blocks else measure(*given))
        return blocks[0]

    monkeypatch.setattr(paired, "block", once)

    def run(*arguments):
        done = CliRunner().invoke(app, ["gate", *arguments, "--budget", "1h", "--json", str(tmp_path / "o.json")])
        rows = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["rows"]
        return done, blocks, {row["case"]["kernel"]: row for row in rows}

    return run


def test_a_slowdown_is_named_and_explained(gate_here, tmp_path):
    files = ("--markdown", str(tmp_path / "o.md"), "--junit", str(tmp_path / "o.xml"))
    done, blocks, rows = gate_here("first", "twice", "--only", "numpy/full-256-float32-x1", *files)
    assert done.exit_code == 1, done.output
    assert len(blocks) == LOOKS[0]
    assert list(rows) == ["numpy/full"]
    assert rows["numpy/full"]["verdict"] == "slower"
    assert rows["numpy/full"]["ratio"] == pytest.approx(2)
    text = (tmp_path / "o.md").read_text(encoding="utf-8")
    assert text.startswith("## Slower")
    assert "--only 'numpy/full-256-float32-x1'" in text
    assert "Measured between equal sides: nothing yet" in text
    assert ElementTree.parse(tmp_path / "o.xml").getroot().attrib["failures"] == "1"
    assert not left_behind()


def test_only_what_the_change_touches_is_measured(repository):
    done = gate(repository, "first", "twice", "--only", "numba/rowwise*")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "Nothing was measured" in done.stdout
    assert "imports no file that differs" in done.stdout


def test_a_kernel_that_fails_on_one_side_is_named_and_the_others_are_judged(gate_here):
    done, _, rows = gate_here("first", "broken", "--only", "numpy/full-64-float32-x1", "--only", "numpy/block-64-float32-x1")
    assert done.exit_code == 1, done.output
    assert rows["numpy/full"]["failure"] == "head: OSError: no luck"
    assert rows["numpy/block"]["verdict"] == "no change"


def test_a_second_gate_is_refused_and_an_interrupted_one_leaves_nothing(repository):
    first = gate(repository, "first", "twice", "--only", "numpy/full-256-float32-x1", wait=False)
    try:
        until = time.monotonic() + 60
        while not left_behind() and time.monotonic() < until:
            time.sleep(0.05)
        refused = gate(repository, "first")
        assert refused.returncode == 2
        assert "another gate is running" in refused.stderr
        first.send_signal(signal.SIGINT)
        _, said = first.communicate(timeout=60)
        assert first.returncode == 130, said
        assert "Traceback" not in said
    finally:
        first.kill()
    assert not left_behind()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere",), "nowhere: git knows no such commit"),
        (("HEAD", "--min-effect", "x"), "--min-effect x: expected a percentage above 0, such as 3%"),
        (("HEAD", "--budget", "10"), "--budget 10: expected a time such as 10m, 90s or 1h"),
    ],
)
@pytest.mark.usefixtures("here")
def test_bad_input_is_one_line(arguments, complaint):
    done = commands_for_tests.run("benchmarks", "gate", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_assembly_is_read():
    text = "vfmadd231pd (%rax), %ymm1, %ymm2\nvmovapd %ymm2, -32(%rbp)\nvmovapd (%rax), %ymm3\nfmla v0.4s, v1.4s, v2.4s"
    assert probe.reading(text) == {"multiply-adds": 2, "spills": 1, "vector bytes": 32}


def test_budgets_are_checked(tmp_path):
    assert budgets.load()["numba/full"]["specialisations"] > 0
    (tmp_path / "b.toml").write_text('["numba/full"]\nspills = "none"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="expected figures with numbers"):
        budgets.load(tmp_path / "b.toml")


def test_sides_with_other_requirements_have_environments_of_their_own(repository, monkeypatch):
    constraints = repository / "constraints.txt"
    before = constraints.read_text(encoding="utf-8")
    constraints.write_text(before + "another==1.0\n", encoding="utf-8")
    installed, run = [], sides._run

    def recorded(*command, cwd=None):
        if command[0] == "git":
            return run(*command, cwd=cwd)
        installed.append(command)
        return "/libraries\n"

    monkeypatch.setattr(sides, "_run", recorded)
    monkeypatch.chdir(repository)
    said = []
    try:
        with sides.prepared("first", None, said.append) as pair:
            homes = {side.name: side.home for side in (pair.base, pair.head)}
            for name, home in homes.items():
                folder = Path(home.path[0])
                assert home.python == str(folder / "venv/bin/python")
                assert home.path == (str(folder), str(repository), "/libraries")
                (pip,) = [each for each in installed if each[0] == home.python and "pip" in each]
                assert pip[pip.index("-c") + 1] == str(folder / "constraints.txt")
                assert sum(each.startswith("torch") for each in pip) == 1
                assert not any(each.startswith("minisgd") for each in pip)  # a package of that name is none of ours
                assert any(each.startswith("pydantic") for each in pip)
                assert ("another" in (folder / "constraints.txt").read_text(encoding="utf-8")) == (name == "head")
    finally:
        constraints.write_text(before, encoding="utf-8")
    assert homes["base"].python != homes["head"].python
    assert "requirements differ" in said[0]
    assert pair.apart


def test_a_comment_is_no_requirement(repository, monkeypatch):
    constraints = repository / "constraints.txt"
    before = constraints.read_text(encoding="utf-8")
    constraints.write_text("# Why these.\n" + before, encoding="utf-8")
    monkeypatch.chdir(repository)
    try:
        with sides.prepared("first", None) as pair:
            assert not pair.apart
            assert pair.base.home.python == sys.executable
    finally:
        constraints.write_text(before, encoding="utf-8")


def test_a_side_runs_a_kernel_with_its_own_tile(monkeypatch):
    widths = []

    def tiled(a, b, out, width):
        widths.append(width)
        np.matmul(a, b, out=out)

    case = next(case for case in grids.cases_here() if case.kernel == "numpy/block")
    monkeypatch.setattr(registry, "find", lambda name: registry.Kernel("docs", "tiled", tiled, tile={"width": 7}))
    assert Product(case, Cpu()).check().failure is None
    assert widths == [7]
