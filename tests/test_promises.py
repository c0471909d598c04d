"""What README promises of platforms, installation and commands; documented.yml tries what needs a fresh machine."""

from __future__ import annotations

import re
import socket
import tomllib
from pathlib import Path

import commands_for_tests
import numpy as np
import pytest
import typer

from benchmarks.__main__ import app as benchmarks
from benchmarks.commands.gate import SKIP
from benchmarks.gate.outcome import Outcome, Row
from benchmarks.gate.verdict import Verdict
from minisgd.__main__ import app as minisgd
from minisgd.common import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXT = " ".join(README.split())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml")}


def names(requirements):
    return {re.match(r"[\w-]+", each)[0] for each in requirements}


def test_every_platform_and_the_oldest_python_have_their_job():
    systems, oldest = re.search(r"(\w+ or \w+), Python ([\d.]+) or later", TEXT).groups()
    assert PROJECT["requires-python"] == f">={oldest}"
    pythons = re.search(r"python: \[(.*)\]", WORKFLOWS["tests"])[1].replace('"', "").split(", ")
    assert pythons[0] == oldest
    runners = {"Linux": "ubuntu-latest", "macOS": "macos-latest"}
    for workflow in (WORKFLOWS["tests"], WORKFLOWS["documented"]):
        assert re.search(r"os: \[(.*)\]", workflow)[1].split(", ") == [runners[each] for each in systems.split(" or ")]


def test_an_installation_brings_numpy_and_numba_and_each_extra_has_its_job():
    assert "That brings numpy and numba;" in TEXT
    assert names(PROJECT["dependencies"]) == {"numpy", "numba"}
    extras = re.findall(r'`(?:pip install )?"\.\[(\w+)\]"`', TEXT)
    assert extras == ["torch", "bench", "peers", "cuda"]
    assert set(extras) <= PROJECT["optional-dependencies"].keys()
    assert re.findall(r'install: "\.(?:\[(\w+)\])?"', WORKFLOWS["documented"]) == ["", *extras]


def test_the_library_s_example_multiplies():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    made: dict[str, object] = {}
    exec(code, made)
    np.testing.assert_allclose(made["c"], made["a"] @ made["b"])


def test_nothing_is_downloaded_after_the_installation(monkeypatch):
    def refused(*given):
        raise AssertionError(f"a connection to {given}")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    for arguments in (("data",), ("train", "--step", "numpy", "--epochs", 1)):
        done = commands_for_tests.run("minisgd", *arguments)
        assert done.returncode == 0, done.stderr


COMMANDS = {
    (package, name): command
    for package, app in (("benchmarks", benchmarks), ("minisgd", minisgd))
    for name, command in typer.main.get_command(app).commands.items()
}
TEXT_ALONE = {("benchmarks", "tour"), ("benchmarks", "report"), ("benchmarks", "export"), ("minisgd", "data")}
"""Their result is runs and a page, files of other programs' formats, or a few lines."""


@pytest.mark.parametrize(("package", "name"), COMMANDS)
def test_every_command_has_help_and_gives_programs_json(package, name):
    done = commands_for_tests.run(package, name, "--help")
    assert done.returncode == 0
    assert f"Example: python -m {package} {name}" in " ".join(done.stdout.split())
    options = {option for parameter in COMMANDS[package, name].params for option in parameter.opts}
    assert ("--json" in options) is ((package, name) not in TEXT_ALONE)


def gate_status(*rows):
    return Outcome.model_construct(rows=list(rows), changes=[]).status


def test_exit_statuses_are_those_that_are_listed():
    listed = re.search(r"Exit status: (.*?)\. ##", TEXT.replace("\n", " "))[1]
    statuses = [int(each) for each in re.findall(r"(?:^|, )(\d+) [a-z]", listed)]
    gates = {
        verdict: Outcome.model_construct(rows=[Row.model_construct(verdict=verdict)], changes=[]).status for verdict in Verdict
    }
    no_gate = Outcome.model_construct(rows=[], changes=[]).status
    assert statuses == sorted({*gates.values(), no_gate, cli.BAD_USAGE, cli.FAULT, cli.INTERRUPTED, cli.PIPE_CLOSED})
    assert gates[Verdict.SAME] == gates[Verdict.FASTER] == 0
    assert gates[Verdict.SLOWER] == gates[Verdict.FAILED] == 1
    assert gates[Verdict.INCONCLUSIVE] == 3
    assert no_gate == 4
    assert f"`gate --bisect` exits with {SKIP}" in TEXT
