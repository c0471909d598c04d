"""The first bad commit of a history, by verdicts that are made up."""

from __future__ import annotations

import subprocess
from io import StringIO

import pytest
from rich.console import Console
from runs_for_tests import MACHINE, make_record

from benchmarks.commands.gating import finding as command
from benchmarks.commands.gating.asked import Asked
from benchmarks.gate import finding
from benchmarks.gate.outcome import Outcome, Row
from benchmarks.gate.verdict import Verdict
from benchmarks.harness.records import Case
from benchmarks.harness.workers import WorkerFailure
from minisgd.common.cli import UsageError

COUNT, BROKEN = 9, 5
CASE = Case.model_validate({name: getattr(make_record(), name) for name in Case.model_fields})


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A repository and its commits, oldest first."""
    folder = tmp_path_factory.mktemp("history")

    def git(*arguments):
        named = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
        return subprocess.run(named, cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    for number in range(COUNT):
        git("commit", "-q", "--allow-empty", "-m", f"number {number}")
    return folder, git("rev-list", "--reverse", "HEAD").split()


def test_the_first_bad_commit_is_found_in_few_steps(history):
    folder, commits = history
    for first in range(1, COUNT):
        asked = []

        def judge(commit, left, first=first, asked=asked):
            asked.append(commit)
            return commits.index(commit) >= first

        assert finding.find(folder, commits[-1], commits[0], judge) == [commits[first]]
        assert len(asked) <= 3
    assert finding.subject(folder, commits[1]).endswith(" number 1")


def test_commits_without_a_verdict_are_left_out_and_named_where_they_may_be_the_first(history):
    folder, commits = history

    def judge(commit, left):
        return None if commits.index(commit) in (4, 5) else commits.index(commit) >= 6

    assert set(finding.find(folder, commits[-1], commits[0], judge)) == set(commits[4:7])
    assert finding.find(folder, commits[-1], commits[0], judge)[0] == commits[6]
    assert finding.find(folder, commits[4], commits[0], judge) == [commits[4]]


@pytest.fixture
def find(history, monkeypatch):
    """Run the command between two commits of the history, of which each has a verdict."""
    folder, commits = history
    shown = Console(record=True, width=200, file=StringIO())
    narrowed = []

    def find(bad, good, verdict_of):
        def compare(base, head, asked, most, screen):
            assert base == commits[good]
            narrowed.append(asked.only)
            verdict = verdict_of(commits.index(head))
            if isinstance(verdict, Exception):
                raise verdict
            rows = [Row(case=CASE, verdict=verdict)] if verdict else []
            return Outcome(base=base, head=head, min_effect=0.03, budget_s=1, seconds=1, machine=MACHINE, rows=rows), False

        monkeypatch.setattr(command, "compare", compare)
        asked = Asked([], 0.03, None, "cpu", False, repo=folder)
        outcome, _ = command.find(commits[bad], commits[good], asked, {}, shown)
        return outcome, shown.export_text(), narrowed

    return find


def test_the_command_measures_what_the_bad_commit_is_slower_at_and_names_the_first(find, history):
    def verdict(number):
        return {1: None, 4: WorkerFailure("it does not start")}.get(number, Verdict.SLOWER if number >= BROKEN else Verdict.SAME)

    outcome, said, narrowed = find(8, 0, verdict)
    assert outcome.head == history[1][BROKEN]
    assert outcome.status == 1
    assert "one of these" in said
    assert "no verdict: it does not start" in said
    assert narrowed[0] == []
    assert set(map(tuple, narrowed[1:])) == {(CASE.title,)}
    _, said, _ = find(8, 0, lambda number: Verdict.SLOWER if number >= 2 else None)
    assert "The first bad commit: " in said
    assert "number 2" in said.rpartition("The first bad commit: ")[2]
    assert "the same program" in said


def test_where_nothing_is_slower_nothing_is_looked_for(find):
    outcome, said, narrowed = find(8, 0, lambda number: Verdict.SAME)
    assert (outcome.status, len(narrowed)) == (0, 1)
    assert "in question" not in said


def test_commits_the_wrong_way_round_are_refused(find, history):
    with pytest.raises(UsageError, match="expected the bad commit, then a good one"):
        find(0, 8, lambda number: Verdict.SAME)
    with pytest.raises(UsageError, match="expected two commits"):
        command.find("HEAD", None, Asked([], 0.03, None, "cpu", False), {}, Console())
