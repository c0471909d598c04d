"""``python -m benchmarks frameworks``, with the frameworks that are in this interpreter."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from commands_for_tests import run

from benchmarks.frameworks import environments, experiment
from benchmarks.frameworks.columns import Columns
from benchmarks.harness.records import Run


@pytest.mark.parametrize(("option", "wrong"), [("--only", "caffe"), ("--preset", "huge")])
def test_an_unknown_name_is_one_line(option, wrong):
    done = run("benchmarks", "frameworks", option, wrong)
    assert done.returncode == 2
    assert f"{option} {wrong}: expected " in done.stderr


def test_what_would_be_installed_is_said_and_not_done(tmp_path):
    done = run("benchmarks", "frameworks", "--only", "jax", "--only", "numba", "--dry-run", "--environments", tmp_path / "none")
    assert done.returncode == 0
    assert "jax: would be installed in" in done.stdout
    assert "539 MB" in done.stdout
    assert "numba: in this interpreter, nothing to install" in done.stdout
    assert not (tmp_path / "none").exists()


def test_one_that_cannot_be_installed_is_a_line_and_the_others_run(tmp_path, monkeypatch):
    fails = [[sys.executable, "-c", "import sys; sys.exit('no such wheel')"]]
    monkeypatch.setattr(environments, "_commands", lambda *arguments: fails)
    tiny = replace(experiment.PRESETS["quick"], rungs=("full",), batches=(100,), textbook=True, rounds=1)
    monkeypatch.setitem(experiment.PRESETS, "quick", tiny)
    done = run(
        "benchmarks", "frameworks", "--only", "jax", "--only", "numba",
        "--environments", tmp_path / "none", "--runs", tmp_path / "runs", "--json", tmp_path / "found.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "jax: cannot be installed: no such wheel" in done.stdout
    found = Columns.model_validate(json.loads((tmp_path / "found.json").read_text(encoding="utf-8")))
    assert [(each.name, each.reason is None) for each in found.environments] == [("jax", False), ("numba", True)]
    assert {pace.step for pace in found.paces} == {"numba", "numba-fused"}
    assert [curve.run for curve in found.curves] == ["gd", "batch 100", "batch 10"]
    (kept,) = (tmp_path / "runs").glob("*-frameworks.json")
    records = Run.model_validate_json(kept.read_text(encoding="utf-8")).records
    assert sorted(each.kernel for each in records) == ["numba", "numba-fused", "numba/full"]
