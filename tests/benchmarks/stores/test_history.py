from __future__ import annotations

import subprocess
import sys

import asv_results
import pytest

from benchmarks.stores import asv as store
from benchmarks.stores.history import series


def found(folder):
    return {each.case.title: each for each in series(store.points(folder))}


def test_a_slower_commit_is_worse_and_a_faster_one_better(tmp_path):
    asv_results.history(tmp_path, [1, 1, 1, 1, 2, 2, 2, 2, 0.5, 0.5, 0.5, 0.5])
    by_title = found(tmp_path)
    up, down = by_title["numba/tiled-64-float32-x1"].steps
    assert (up.verdict, down.verdict) == ("worse", "better")
    assert (up.commit, down.commit) == (asv_results.commit_hash(5), asv_results.commit_hash(9))
    assert up.ratio == pytest.approx(2, rel=0.03)
    assert by_title["numba/tiled-256-float32-x1"].steps == []


def test_two_commits_are_enough_to_see_a_step(tmp_path):
    asv_results.history(tmp_path, [1, 2])
    (step,) = found(tmp_path)["numba/tiled-64-float32-x1"].steps
    assert step.verdict == "worse"


def test_machines_and_environments_are_series_of_their_own(tmp_path):
    asv_results.history(tmp_path, [1, 1])
    asv_results.machine(tmp_path, "faster")
    asv_results.add(tmp_path, 3, [1e-6, 1e-3], where="faster")
    asv_results.add(tmp_path, 3, [1e-6, 1e-3], environment="another-torch")
    assert len(series(store.points(tmp_path))) == 6


def test_the_command_says_and_draws_what_got_worse(tmp_path):
    asv_results.history(tmp_path / "results", [1, 1, 1, 2, 2, 2])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "history", "--asv", tmp_path / "results", "--plot", tmp_path / "h"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "numba/tiled-64-float32-x1" in done.stdout
    assert "worse" in done.stdout
    assert "1 with a step for the worse, 0 with one for the better, 1 without" in done.stdout
    assert (tmp_path / "h.svg").stat().st_size > 1000
