"""Series over commits, and the steps in them: commits from which on something is better or worse.

asv's detector (``asv.step_detect``) finds the steps: it fits a piecewise constant function with a penalty for each piece, by
dynamic programming. A step counts if it is larger than `THRESHOLD`, as in asv.conf.json.
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
    """A change of level; `after` is None where the benchmark fails from then on. Of every metric, less is better."""

    commit: str
    before: float
    after: float | None

    @property
    def ratio(self) -> float | None:
        """After over before: above 1 is worse. None where it fails from then on, and where either level is 0."""
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
        Of the commits where it did not fail.
    fails_since : str, optional
        The first of the last commits, at all of which it failed.
    by_date : bool
        Whether the commits are sorted by date, because no repository here has all of them.
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
        """The largest ratio of the steps; infinite where a step for the worse has no ratio."""
        ratios = ((inf if step.verdict == "worse" else 0) if step.ratio is None else step.ratio for step in self.steps)
        return max(ratios, default=0)

    @cached_property
    def levels(self) -> list[tuple[int, int, float]]:
        """Each piece's first point, the point after its last, and its median."""
        from asv.step_detect import detect_steps  # here: slow to import, and a page without series needs none

        return [(left, right, level) for left, right, level, *_ in detect_steps(self.values)]

    @property
    def steps(self) -> list[Step]:
        """Where the level changes by more than `THRESHOLD`, and the commit from which on it fails."""
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
    """Series sorted by their largest step for the worse."""
    return sorted(found, key=lambda each: -each.worst)


def series(points: Iterable[Point], folder: Path) -> list[Series]:
    """Points grouped into series. A commit that was measured twice keeps both points; a case that always failed has no series.

    Parameters
    ----------
    points : iterable of Point
    folder : Path
        Where the results are. Commits are sorted as in the repository around it, or else in the one around this process.
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
