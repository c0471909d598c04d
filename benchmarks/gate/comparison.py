"""A kernel beside its peers: rates, which peer is the best, and how many times as fast as that one the kernel is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from statistics import median
from typing import Any

from benchmarks.gate.estimate import FEWEST, hodges_lehmann
from benchmarks.gate.paired import Block
from benchmarks.harness import derived
from benchmarks.harness.machines import Blas, Ceilings
from benchmarks.harness.records import Case


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as the best peer a kernel is; the interval is None where there are too few blocks for one."""

    ratio: float
    low: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        """faster, slower or undecided."""
        if self.low is None or self.high is None:
            return "undecided"
        return "faster" if self.low > 1 else "slower" if self.high < 1 else "undecided"

    def __str__(self) -> str:
        interval = "" if self.low is None or self.high is None else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.ratio:.3f}{interval}"


@dataclass(frozen=True)
class Compared:
    """A case: GFLOPS by side, the fastest peer, the ratio to the best one in each block, and percent of the peak.

    Where all peers are held back, none is the best and there is no ratio.
    """

    case: Case
    gflops: dict[str, float]
    best: str | None
    ahead: Ratio | None
    percent_of_peak: float | None
    libraries: Mapping[str, Blas]

    def plain(self) -> dict[str, Any]:
        """The same for programs."""
        ratio = {name: self.ahead and getattr(self.ahead, name) for name in ("ratio", "low", "high")}
        return {
            "case": self.case.title, "gflops": self.gflops, "best": self.best, **ratio, "percent_of_peak": self.percent_of_peak,
            "libraries": {side: blas.label for side, blas in self.libraries.items()},
        }  # fmt: skip


def compare(
    cases: Sequence[Case], blocks: Sequence[Block], kernel: str, limits: Ceilings | None, libraries: Mapping[str, Blas]
) -> list[Compared]:
    """What the blocks show of each case that no side failed.

    Parameters
    ----------
    cases : sequence of Case
    blocks : sequence of Block
    kernel : str
        The side that is compared with the others.
    limits : Ceilings, optional
    libraries : mapping of str to Blas
        By side, where one is known. A peer whose library is held back is shown, but the kernel is not compared with it.
    """
    made = []
    for case in cases:
        rounds = [block.seconds[case] for block in blocks if case in block.seconds]
        if len(rounds) < len(blocks):
            continue
        gflops = {name: derived.gflops(case, median(s for each in rounds for s in each[name])) for name in rounds[0]}
        peak = limits.peak(case.dtype, case.threads) if limits else None
        share = derived.percent_of_peak(gflops[kernel], peak)
        eligible = peers(gflops, kernel, libraries)
        best = max(eligible, key=lambda name: gflops[name], default=None)
        ahead = ratio([_ahead(block, case, kernel, eligible) for block in blocks]) if eligible else None
        made.append(Compared(case, gflops, best, ahead, share, libraries))
    return made


def mean(compared: Sequence[Compared], kernel: str, blocks: Sequence[Block]) -> Ratio | None:
    """The geometric mean over the cases that have a ratio, from the mean log ratio of each block; None without such a case."""
    measured = [each for each in compared if each.ahead]
    if not measured:
        return None
    eligible = peers(measured[0].gflops, kernel, measured[0].libraries)
    return ratio([sum(_ahead(block, each.case, kernel, eligible) for each in measured) / len(measured) for block in blocks])


def peers(sides: Iterable[str], kernel: str, libraries: Mapping[str, Blas]) -> list[str]:
    """The sides that a kernel is compared with: all others that are not held back."""
    return [side for side in sides if side != kernel and not held_back(side, libraries)]


def held_back(side: str, libraries: Mapping[str, Blas]) -> bool:
    """Whether the environment chose the code that a side's library runs."""
    return side in libraries and bool(libraries[side].held_back)


def ratio(logs: Sequence[float]) -> Ratio:
    """The estimate from one log ratio a block."""
    middle, low, high = (exp(value) for value in hodges_lehmann(logs))
    return Ratio(middle, low, high) if len(logs) >= FEWEST else Ratio(middle, None, None)


def _ahead(block: Block, case: Case, kernel: str, peers: Sequence[str]) -> float:
    """log(seconds of the best peer / seconds of the kernel), in a block."""
    return min(block.log_ratio(case, peer, kernel) for peer in peers)
