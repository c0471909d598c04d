"""Which commit made it slower: a bisection by verdicts, over all commits that lead to the bad one and not to the good one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.gate import git


def find(root: Path, bad: str, good: str, judge: Callable[[str, int], bool | None]) -> list[str]:
    """The first bad commit; followed by those that may be the first instead, where commits without a verdict are in the way.

    Parameters
    ----------
    root : Path
        The repository.
    bad, good : str
        Commits, judged already.
    judge : callable
        ``judge(commit, left)``: whether a commit is bad, or None if that cannot be told; and how many commits are in question.
    """
    goods, untold = [good], set[str]()
    while True:
        # The best to test stands first, as git bisect would have it.
        excluded = [f"^{commit}" for commit in goods]
        listed = [line.split()[0] for line in git.run("git", "rev-list", "--bisect-all", bad, *excluded, cwd=root).splitlines()]
        left = [commit for commit in listed if commit not in untold and commit != bad]
        if not left:
            return [bad, *(commit for commit in listed if commit in untold)]
        is_bad = judge(left[0], len(listed))
        if is_bad is None:
            untold.add(left[0])
        elif is_bad:
            bad = left[0]
        else:
            goods.append(left[0])


def subject(root: Path, commit: str) -> str:
    """A commit in a line: its hash, cut off, and the first line of its message."""
    return git.run("git", "log", "-1", "--format=%h %s", commit, cwd=root).strip()
