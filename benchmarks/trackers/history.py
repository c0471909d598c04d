"""Series over commits, and the steps in them: where a commit made something better or worse for good.

The steps are those of asv's own detector (``asv.step_detect``): the piecewise constant function that fits best under a
penalty for each piece, by dynamic programming. A step counts if it is larger than `THRESHOLD`, as in asv.conf.json.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path

from benchmarks.harness.records import Case
from benchmarks.trackers.asv import Point
from benchmarks.trackers.order import Order

THRESHOLD = 0.05


@dataclass(frozen=True)
class Step:
    """From one level to another, or to none, where it fails since; every metric that is tracked is better when it is less."""

    commit: str
    before: float
    after: float | None

    @property
    def ratio(self) -> float | None:
        """After over before: above 1 is worse. None where it fails since, and from or to a level of 0."""
        return self.after / self.before if self.before and self.after else None

    @property
    def verdict(self) -> str:
        """Worse or better."""
        return "worse" if self.after is None or self.after > self.before else "better"


@dataclass(frozen=True)
class Series:
    """The values of one case on one machine and environment, in the order of the commits.

    Parameters
    ----------
    points : list of Point
        Where it did not fail.
    fails_since : str, optional
        The commit from which on it failed, to the last.
    by_date : bool
        Whether the order is that of the commits' dates, since no repository here knows them all.
    """

    machine: str
    environment: str
    case: Case
    metric: str
    points: list[Point]
    fails_since: str | None = None
    by_date: bool = False

    @property
    def values(self) -> list[float]:
        """One a point."""
        return [point.value for point in self.points if point.value is not None]

    @property
    def worst(self) -> float:
        """The largest ratio of its steps; infinite where it got worse without one."""
        ratios = ((inf if step.verdict == "worse" else 0) if step.ratio is None else step.ratio for step in self.steps)
        return max(ratios, default=0)

    @cached_property
    def levels(self) -> list[tuple[int, int, float]]:
        """Pieces from a point up to another, and the median of each."""
        from asv.step_detect import detect_steps

        return [(left, right, level) for left, right, level, *_ in detect_steps(self.values)]

    @property
    def steps(self) -> list[Step]:
        """Where the level changes by more than `THRESHOLD`, and where it begins to fail for good."""
        found = []
        before = self.levels[0][2]
        for left, _, level in self.levels[1:]:
            if abs(level - before) > THRESHOLD * before:
                found.append(Step(self.points[left].commit, before, level))
                before = level
        if self.fails_since:
            found.append(Step(self.fails_since, before, None))
        return found


def worst_first(found: Iterable[Series]) -> list[Series]:
    """Series in the order of their largest step for the worse."""
    return sorted(found, key=lambda each: -each.worst)


def series(points: Iterable[Point], folder: Path) -> list[Series]:
    """Points put in series; a commit that was measured twice keeps both. What never succeeded makes none.

    Parameters
    ----------
    points : iterable of Point
    folder : Path
        Where they were found: the order is that of the repository which this lies in, or else of the one that we are in.
    """
    grouped: dict[tuple[str, str, Case, str], list[Point]] = defaultdict(list)
    for point in points:
        grouped[point.machine, point.environment, point.case, point.metric].append(point)
    order = Order({point.commit for found in grouped.values() for point in found}, folder)
    made = []
    for key, unordered in grouped.items():
        found, known = order.sort(unordered, lambda point: (point.commit, point.date))
        last = max((at for at, point in enumerate(found) if point.value is not None), default=None)
        if last is not None:
            fails = found[last + 1].commit if last + 1 < len(found) else None
            made.append(Series(*key, [point for point in found if point.value is not None], fails, by_date=not known))
    return made
