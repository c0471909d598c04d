"""The gate in a stranger's repository: its kernels are brought by entry points, and each side is installed for itself."""

from __future__ import annotations

import json
import tempfile
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.commands import gate as gate_command
from benchmarks.gate import alone, paired, repository
from minisgd.common.cli import UsageError


@pytest.fixture
def here(tmp_path, monkeypatch, tmp_path_factory):
    """Temporary folders, a lock and a cache of its own; one block is measured, and taken for each that follows."""
    blocks, measure = [], paired.block

    def once(*given):
        blocks.append(blocks[0] if blocks else measure(*given))
        return blocks[0]

    monkeypatch.setattr(paired, "block", once)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setattr(alone, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(gate_command, "_end_as_interrupted", lambda: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gate(here, *arguments):
    """The result of a gate, and its rows by kernel."""
    done = CliRunner().invoke(app, ["gate", *map(str, arguments), "--json", str(here / "o.json")])
    assert (here / "o.json").exists(), done.output
    rows = json.loads((here / "o.json").read_text(encoding="utf-8"))["rows"]
    return done, {row["case"]["kernel"]: row for row in rows}


def test_what_a_strangers_commit_made_worse_is_named_and_nothing_else(stranger, here):
    files = ("--markdown", here / "o.md", "--junit", here / "o.xml")
    done, rows = gate(here, "--repo", stranger, "first", "worse", "--only", "*-64-*", *files)
    assert done.exit_code == 1, done.output
    assert {kernel: (row["verdict"], row["failure"]) for kernel, row in rows.items()} == {
        "outer/full": ("slower", None),
        "outer/block": ("no change", None),
        "outer/tiled": ("failed", "head: it is not there any more"),
        "outer/rowwise": ("failed", rows["outer/rowwise"]["failure"]),
        "fragile/full": ("failed", rows["fragile/full"]["failure"]),
    }
    assert rows["outer/full"]["ratio"] == pytest.approx(1.05, rel=1e-3)
    assert rows["outer/rowwise"]["failure"].startswith("head: ArithmeticError: ")
    assert rows["fragile/full"]["failure"].startswith("head: the process died of SIGABRT")
    text = (here / "o.md").read_text(encoding="utf-8")
    assert text.startswith("## Slower, failed")
    assert f"--repo {stranger} --only 'outer/full-64-float32-x1'" in text
    root = ElementTree.parse(here / "o.xml").getroot()
    assert (root.attrib["failures"], root.attrib["errors"]) == ("1", "3")
    assert not list(here.glob(f"{alone.PREFIX}*"))


def test_the_working_tree_is_compared_as_it_is(stranger, here, monkeypatch):
    source = stranger / "outer_kernels.py"
    committed = source.read_text(encoding="utf-8")
    source.write_text(committed + "more = 1\n", encoding="utf-8")
    try:
        with repository.prepared(stranger, "worse", None) as pair:
            assert pair.changed == {"outer_kernels.py"}
            assert not pair.apart
    finally:
        source.write_text(committed, encoding="utf-8")
    monkeypatch.setattr(repository, "install", None)  # a commit is installed once
    with repository.prepared(stranger, "worse", "worse") as pair:
        assert not pair.changed
        assert pair.base.home.environment["NUMBA_CACHE_DIR"].startswith(str(here))


def test_what_is_no_such_repository_is_told_in_a_line(stranger, here):
    with pytest.raises(UsageError, match="no such folder"), repository.prepared(here / "none", "first", None):
        pass
    with pytest.raises(UsageError, match="run it in a clone"), repository.prepared(here, "first", None):
        pass
    with pytest.raises(UsageError, match="nowhere: git knows no such commit"), repository.prepared(stranger, "nowhere", None):
        pass


def test_a_file_of_tests_is_gated_in_the_same_way(stranger, here):
    done, rows = gate(here, "--pytest", stranger / "bench.py", "first", "slower")
    assert done.exit_code == 1, done.output
    (row,) = rows.values()
    assert row["case"]["kernel"] == "bench.py::test_product[4]"
    assert row["verdict"] == "slower"
    assert row["ratio"] == pytest.approx(1.05, rel=1e-3)
    assert f"--pytest {stranger / 'bench.py'} --only 'bench.py::test_product[[]4]'" in " ".join(done.output.split())
