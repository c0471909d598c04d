from __future__ import annotations

import os
import shutil
import subprocess

import asv_results
import commands_for_tests
import pytest

from benchmarks.trackers import asv as store
from benchmarks.trackers.history import series, worst_first
from benchmarks.views import history as views


def found(folder):
    return {each.case.title: each for each in series(store.points(folder), folder)}


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


def git(where, *command):
    who = [f"{role}_{what}" for role in ("GIT_AUTHOR", "GIT_COMMITTER") for what in ("NAME", "EMAIL")]
    return subprocess.run(
        ["git", "-C", where, *command], capture_output=True, text=True, check=True, env=os.environ | dict.fromkeys(who, "a@b.c")
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    """Six commits, whose results say dates that run backwards; and the results' folder in it."""
    git(tmp_path, "init", "-q")
    hashes = []
    for number in range(6):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", str(number))
        hashes.append(git(tmp_path, "rev-parse", "HEAD"))
    folder = asv_results.machine(tmp_path / "results")
    for number, name in enumerate(hashes):
        asv_results.add(folder, 9 - number, [1e-5 if number < 3 else 2e-5, 1e-3])
        (stored,) = (folder / "here").glob(f"{9 - number:08x}-*.json")
        text = stored.read_text(encoding="utf-8").replace(asv_results.commit_hash(9 - number), name)
        (folder / "here" / f"{name[:8]}-an-env.json").write_text(text, encoding="utf-8")
        stored.unlink()
    return folder, hashes


def test_the_order_is_the_repository_s_and_not_that_of_dates(repository):
    folder, hashes = repository
    each = found(folder)["numba/tiled-64-float32-x1"]
    assert [point.commit for point in each.points] == hashes
    assert not each.by_date
    (step,) = each.steps
    assert (step.commit, step.verdict) == (hashes[3], "worse")
    assert [run.commit for run in store.runs(folder)] == hashes
    assert not any("dates" in sentence for sentence in views.sentences([each]))


def test_without_the_repository_the_order_is_that_of_dates_and_said_so(repository, tmp_path_factory):
    folder, hashes = repository
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "results"
    shutil.copytree(folder, elsewhere)
    each = found(elsewhere)["numba/tiled-64-float32-x1"]
    assert [point.commit for point in each.points] == hashes[::-1]
    assert "1 of the series are sorted by the dates of their commits" in " ".join(views.sentences([each]))


def test_one_commit_that_is_unknown_leaves_dates_to_its_series_alone(repository):
    folder, _ = repository
    asv_results.add(folder, 1, [1e-5], params=[["'numba/tiled'"], ["64"], ["'float32'"], ["1"]])
    assert found(folder)["numba/tiled-64-float32-x1"].by_date
    assert not found(folder)["numba/tiled-256-float32-x1"].by_date


@pytest.mark.parametrize("how", ["a point", "all"])
def test_what_fails_from_a_commit_on_is_worse_since_that_commit(tmp_path, how):
    asv_results.history(tmp_path, [1, 1, 1])
    for commit in (4, 5):
        asv_results.add(tmp_path, commit, [None, 2e-3 if how == "a point" else None])
    each = found(tmp_path)["numba/tiled-64-float32-x1"]
    (step,) = each.steps
    assert (step.commit, step.verdict, step.after, step.ratio) == (asv_results.commit_hash(4), "worse", None, None)
    assert worst_first(found(tmp_path).values())[0].steps
    assert "since a commit, to the last: worse" in " ".join(views.sentences([each]))
    assert [cell.text for row in views.table_of([each]).rows for cell in row].count("fails") == 1
    views.picture([each])
    assert store.runs(tmp_path)[-1].records[0].failure


def test_a_failure_that_was_mended_is_no_step(tmp_path):
    asv_results.history(tmp_path, [1, 1])
    asv_results.add(tmp_path, 3, [None, None])
    asv_results.add(tmp_path, 4, [1e-5, 2e-3])
    assert not any(each.steps for each in found(tmp_path).values())


@pytest.mark.parametrize(("before", "after", "verdict"), [(0, 286 << 20, "worse"), (286 << 20, 0, "better")])
def test_from_nothing_to_something_is_a_step_without_a_ratio(tmp_path, before, after, verdict):
    asv_results.machine(tmp_path)
    params = [["'numba/tiled'"], ["64"], ["'float32'"], ["1"]]
    for commit in range(1, 7):
        value = before if commit < 4 else after
        asv_results.add(tmp_path, commit, [value], name="gemm.NumbaTiled.track_workspace", params=params)
    (each,) = found(tmp_path).values()
    (step,) = each.steps
    assert (step.commit, step.verdict, step.ratio) == (asv_results.commit_hash(4), verdict, None)
    assert views.plain([each])[0]["steps"][0]["ratio"] is None


def test_machines_and_environments_are_series_of_their_own(tmp_path):
    asv_results.history(tmp_path, [1, 1])
    asv_results.machine(tmp_path, "faster")
    asv_results.add(tmp_path, 3, [1e-6, 1e-3], where="faster")
    asv_results.add(tmp_path, 3, [1e-6, 1e-3], environment="another-torch")
    assert len(series(store.points(tmp_path), tmp_path)) == 6


def test_the_command_says_and_draws_what_got_worse(tmp_path):
    asv_results.history(tmp_path / "results", [1, 1, 1, 2, 2, 2])
    done = commands_for_tests.run("benchmarks", "history", "--asv", tmp_path / "results", "--plot", tmp_path / "h")
    assert done.returncode == 0, done.stderr
    assert "numba/tiled-64-float32-x1" in done.stdout
    assert "worse" in done.stdout
    assert "1 with a step for the worse, 0 with one for the better, 1 without" in done.stdout
    assert (tmp_path / "h.svg").stat().st_size > 1000
