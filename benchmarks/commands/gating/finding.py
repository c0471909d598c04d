"""``gate --find BAD GOOD``: the commit that made it slower, found by verdicts on what BAD is slower at."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console

from benchmarks.commands.gating.asked import Asked
from benchmarks.commands.gating.comparing import compare, show
from benchmarks.gate import finding, git
from benchmarks.gate.outcome import Outcome
from benchmarks.gate.verdict import Verdict
from benchmarks.harness.workers import WorkerFailure
from minisgd.common.cli import UsageError

BAD = {Verdict.SLOWER, Verdict.FAILED}
GOOD = {Verdict.SAME, Verdict.FASTER}


def find(
    bad: str, good: str | None, asked: Asked, most: Mapping[str, Mapping[str, float]], screen: Console
) -> tuple[Outcome, bool]:
    """Name the first commit at which a benchmark has the verdict that it has at BAD; the outcome of that commit against GOOD.

    Raises
    ------
    UsageError
        If GOOD is left out, or does not lead to BAD.
    """
    if good is None:
        raise UsageError("--find: expected two commits, the bad one and the good one, such as main v1.0")
    root = git.root(asked.repo or (asked.tests and asked.tests.parent))
    worst, best = git.commit(bad, root), git.commit(good, root)
    if git.run("git", "merge-base", worst, best, cwd=root).strip() != best:
        raise UsageError(f"--find {bad} {good}: the second does not lead to the first; expected the bad commit, then a good one")
    outcome, interrupted = compare(best, worst, asked, most, screen)
    show(outcome, screen)
    sought = {row.case: row.verdict for row in outcome.rows if row.verdict in BAD}
    if not sought or interrupted:
        return outcome, interrupted
    outcomes = {worst: outcome}
    narrowed = replace(asked, only=[glob.escape(case.title) for case in sought])

    def judge(commit: str, left: int) -> bool | None:
        screen.print(f"{left} commits in question: {finding.subject(root, commit)}", markup=False)
        try:
            found, stopped = compare(best, commit, narrowed, most, screen)
        except (UsageError, WorkerFailure) as error:
            screen.print(f"  no verdict: {error}", markup=False)
            return None
        if stopped:
            raise KeyboardInterrupt
        said = {row.case: row.verdict for row in found.rows}
        verdicts = ", ".join(f"{case.title} {verdict}" for case, verdict in said.items())
        screen.print(f"  {verdicts or 'the same program'}", markup=False)
        outcomes[commit] = found
        if any(said.get(case) is verdict for case, verdict in sought.items()):
            return True
        return False if all(verdict in GOOD for verdict in said.values()) else None

    first = finding.find(root, worst, best, judge)
    subjects = [finding.subject(root, commit) for commit in first]
    if len(first) == 1:
        screen.print(f"The first bad commit: {subjects[0]}", markup=False)
    else:
        screen.print(f"The first bad commit is one of these; the others have no verdict: {'; '.join(subjects)}", markup=False)
    return outcomes[first[0]], False
