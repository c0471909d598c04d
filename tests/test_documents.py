"""What README and docs point to is there: links, headings, paths, and commands with their options."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer

from benchmarks.__main__ import app as benchmarks
from minisgd.__main__ import app as minisgd

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ROOMS = ("kernels/", "minisgd/", "benchmarks/", "tests/", "docs/", ".github/")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """A document's headings as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", each).lower()).replace(" ", "-") for each in headings}


def links(text: str) -> list[str]:
    return [each for each in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", each)]


def paths(text: str) -> list[str]:
    """Paths of this repository in backticks; a command's words are no paths."""
    return [each for each in re.findall(r"`([\w./-]+)`", text) if each.startswith(ROOMS)]


def commands(text: str) -> list[tuple[str, str]]:
    """Calls of this repository's commands, and what follows each in its code."""
    return re.findall(r"python -m ((?:benchmarks|minisgd) [a-z]+)([^`\n]*)", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    for link in links(read(document)):
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(read(target)), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_is_named_is_there(document):
    missing = [each for each in paths(read(document)) if not (ROOT / each).exists()]
    assert not missing


OPTIONS = {
    f"{package} {name}": {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for package, app in (("benchmarks", benchmarks), ("minisgd", minisgd))
    for name, command in typer.main.get_command(app).commands.items()
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_that_is_named_is_there(document):
    for command, rest in commands(read(document)):
        assert command in OPTIONS
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= OPTIONS[command], command


def test_a_broken_link_and_a_lost_path_would_be_seen():
    text = "# A `b` heading, it is\n[x](missing.md#there) [y](https://example.org) `kernels/gone.py` `python -m kernels/x`"
    assert links(text) == ["missing.md#there"]
    assert paths(text) == ["kernels/gone.py"]
    assert commands("`python -m benchmarks rum --fast`") == [("benchmarks rum", " --fast")]
    assert anchors(text) == {"a-b-heading-it-is"}


def test_the_table_of_what_machine_code_allows_is_that_of_the_budgets():
    budgets = tomllib.loads(read(ROOT / "kernels/cuda/budgets.toml"))
    stages = re.findall(
        r"^\| (register tile|\+ [\w ]+) \| (\d+) \| ([\d.]+) \| (\d+) \| ([\d.]+) \|$", read(ROOT / "docs/gpu.md"), re.M
    )
    assert len(stages) == 5
    for stage, *figures in stages:
        found = [budgets[f"{stage} {dtype} sm_90"] for dtype in ("float32", "float64")]
        assert [float(each) for each in figures] == [each[key] for each in found for key in ("registers", "bound")]
