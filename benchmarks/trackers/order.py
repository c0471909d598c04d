"""The order of commits is that of their repository: a commit's date says when it was written, not where it stands."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Order:
    """The order of commits.

    Parameters
    ----------
    commits : collection of str
        All that will be sorted.
    folder : Path
        Where their results are. The repository is the one around it, or else the one around this process.
    """

    def __init__(self, commits: Collection[str], folder: Path) -> None:
        self._places = max((_places(commits, where) for where in (folder, Path())), key=len)

    def sort(self, found: Iterable[T], of: Callable[[T], tuple[str, float]]) -> tuple[list[T], bool]:
        """Items sorted as in the repository, or by date if it lacks a commit; and whether the repository sorted them.

        `of` gives an item's commit and date.
        """
        found = list(found)
        if all(of(each)[0] in self._places for each in found):
            return sorted(found, key=lambda each: self._places[of(each)[0]]), True
        return sorted(found, key=lambda each: of(each)[1]), False


def _places(commits: Collection[str], where: Path) -> dict[str, int]:
    """The place of each commit that a repository has, from 1; parents come before children."""
    named = [commit for commit in sorted(commits) if len(commit) in (40, 64) and set(commit) <= set("0123456789abcdef")]
    asked = _git(where, ["cat-file", "--batch-check=%(objectname) %(objecttype)"], named)
    known = [line.split()[0] for line in asked if line.endswith(" commit")]
    listed = _git(where, ["rev-list", "--topo-order", "--reverse", "--stdin"], known) if known else []
    return {commit: place for place, commit in enumerate(listed, start=1)}


def _git(where: Path, command: list[str], lines: list[str]) -> list[str]:
    """The lines that git prints; none without git, or outside a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", where, *command], input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8", timeout=60,
            check=True,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()
