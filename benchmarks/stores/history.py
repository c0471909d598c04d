"""Series over commits, and the steps in them: where a commit made something better or worse for good.

The steps are those of asv's own detector (``asv.step_detect``): the piecewise constant function that fits best under a
penalty for each piece, by dynamic programming. A step counts if it is larger than `THRESHOLD`, as in asv.conf.json.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from benchmarks.harness.records import Case
from benchmarks.stores.asv import Point

THRESHOLD = 0.05


@dataclass(frozen=True)
class Step:
    """From one level to another; every metric that is tracked is better when it is less."""

    commit: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before: above 1 is worse."""
        return self.after / self.before

    @property
    def verdict(self) -> str:
        """Worse or better."""
        return "worse" if self.after > self.before else "better"


@dataclass(frozen=True)
class Series:
    """The values of one case on one machine and environment, in the order of the commits' dates."""

    machine: str
    environment: str
    case: Case
    metric: str
    points: list[Point]

    @cached_property
    def levels(self) -> list[tuple[int, int, float]]:
        """Pieces from a point up to another, and the median of each."""
        from asv.step_detect import detect_steps

        return [(left, right, level) for left, right, level, *_ in detect_steps([point.value for point in self.points])]

    @property
    def steps(self) -> list[Step]:
        """Where the level changes by more than `THRESHOLD`."""
        found = []
        before = self.levels[0][2]
        for left, _, level in self.levels[1:]:
            if before > 0 and level > 0 and abs(level / before - 1) > THRESHOLD:
                found.append(Step(self.points[left].commit, before, level))
                before = level
        return found


def series(points: Iterable[Point]) -> list[Series]:
    """Points put in series; a commit that was measured twice keeps both."""
    grouped: dict[tuple[str, str, Case, str], list[Point]] = defaultdict(list)
    for point in points:
        grouped[point.machine, point.environment, point.case, point.metric].append(point)
    return [Series(*key, sorted(found, key=lambda point: point.date)) for key, found in grouped.items()]
