"""A kernel beside its peers: rates, which of them is the best, and how many times as fast as that one the kernel is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.gate.estimate import FEWEST, hodges_lehmann
from benchmarks.gate.paired import Block
from benchmarks.harness import derived
from benchmarks.harness.records import Blas, Case, Ceilings
from minisgd.common.terminal import styled, table
from minisgd.common.units import digits, percent

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as the best peer a kernel is; the interval is None where too few blocks give none."""

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

    No peer is the best, and there is no ratio, where all are held back.
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
    """What the blocks say of each case that no side failed.

    Parameters
    ----------
    cases : sequence of Case
    blocks : sequence of Block
    kernel : str
        The side that is compared with the others.
    limits : Ceilings, optional
    libraries : mapping of str to Blas
        By side, where one is known. A peer whose library is held back is shown, and is no bar.
    """
    made = []
    for case in cases:
        rounds = [block.seconds[case] for block in blocks if case in block.seconds]
        if len(rounds) < len(blocks):
            continue
        gflops = {name: derived.gflops(case, median(s for each in rounds for s in each[name])) for name in rounds[0]}
        peak = limits.peak(case.dtype, case.threads) if limits else None
        share = derived.percent_of_peak(gflops[kernel], peak)
        bars = _bars(gflops, kernel, libraries)
        best = max(bars, key=lambda name: gflops[name], default=None)
        ahead = _ratio([_ahead(block, case, kernel, bars) for block in blocks]) if bars else None
        made.append(Compared(case, gflops, best, ahead, share, libraries))
    return made


def table_of(compared: Sequence[Compared], kernel: str) -> Table:
    """A row a case."""
    sides = list(compared[0].gflops) if compared else [kernel]
    shown = [f"{side} (held back)" if compared and _held_back(side, compared[0].libraries) else side for side in sides]
    made = table(
        "size", " dtype", "threads", *shown, "% peak", " best peer", "x best peer", "interval",
        title="GFLOPS, alternated in lock-step",
    )  # fmt: skip
    colors = {"faster": "green", "slower": "red", "undecided": "default"}
    for each in compared:
        size = each.case.size if each.case.layout == "nn" else f"{each.case.size} {each.case.layout}"
        peak = "" if each.percent_of_peak is None else percent(each.percent_of_peak)
        ratio, _, interval = str(each.ahead or "").partition(" ")
        color = colors[each.ahead.verdict if each.ahead else "undecided"]
        made.add_row(
            size, each.case.dtype, str(each.case.threads), *(digits(each.gflops[side]) for side in sides), peak,
            each.best or "", styled(ratio, color), interval.strip("[]").replace(", ", "-"),
        )  # fmt: skip
    return made


def sentences(compared: Sequence[Compared], kernel: str, blocks: Sequence[Block]) -> list[str]:
    """The code of each side's library, the geometric mean with its interval, the worst case, and what failed."""
    said = [f"{case.title}: failed: {why}" for case, why in {c: w for block in blocks for c, w in block.failures.items()}.items()]
    said += [f"{side}: {blas.label}." for each in compared[:1] for side, blas in each.libraries.items()]
    measured = [each for each in compared if each.ahead]
    if compared and not measured:
        said.append("Every peer is held back: none is the bar.")
    if not measured:
        return said
    bars = _bars(measured[0].gflops, kernel, measured[0].libraries)
    means = [sum(_ahead(block, each.case, kernel, bars) for each in measured) / len(measured) for block in blocks]
    verdicts = [each.ahead.verdict for each in measured if each.ahead]
    counts = ", ".join(f"{verdict} in {verdicts.count(verdict)}" for verdict in ("faster", "slower", "undecided"))
    said.append(
        f"Over {len(measured)} cases {kernel} is {_ratio(means)} times as fast as the best peer, by geometric mean: {counts}."
    )
    if len(blocks) < FEWEST:
        said.append(f"{len(blocks)} of the {FEWEST} blocks that an interval takes: nothing is decided.")
    worst = min(measured, key=lambda each: each.ahead.ratio if each.ahead else 0)
    said.append(f"Worst: {worst.case.title}, {worst.ahead}, where {worst.best} is the fastest peer.")
    return said


def _bars(sides: Iterable[str], kernel: str, libraries: Mapping[str, Blas]) -> list[str]:
    """The peers that a kernel is held against."""
    return [side for side in sides if side != kernel and not _held_back(side, libraries)]


def _held_back(side: str, libraries: Mapping[str, Blas]) -> bool:
    return side in libraries and bool(libraries[side].held_back)


def _ratio(ahead: Sequence[float]) -> Ratio:
    """Of one log ratio a block."""
    ratio, low, high = (exp(value) for value in hodges_lehmann(ahead))
    return Ratio(ratio, low, high) if len(ahead) >= FEWEST else Ratio(ratio, None, None)


def _ahead(block: Block, case: Case, kernel: str, peers: Sequence[str]) -> float:
    """log(seconds of the best peer / seconds of the kernel), in a block."""
    return min(block.log_ratio(case, peer, kernel) for peer in peers)
