"""A kernel beside its peers: rates, and how many times as fast as the best of them it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.gate.estimate import hodges_lehmann
from benchmarks.gate.paired import Block
from benchmarks.harness.records import Case, Ceilings
from benchmarks.harness.timing import WORKLOADS
from minisgd.views.terminal import table
from minisgd.views.units import digits, percent

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Compared:
    """A case: GFLOPS by side, the ratio to the best peer with its interval, and percent of the peak."""

    case: Case
    gflops: dict[str, float]
    ratio: float
    low: float
    high: float
    percent_of_peak: float | None

    def plain(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "case": self.case.title, "gflops": self.gflops, "ratio": self.ratio, "low": self.low, "high": self.high,
            "percent_of_peak": self.percent_of_peak,
        }  # fmt: skip


def compare(cases: Sequence[Case], blocks: Sequence[Block], kernel: str, limits: Ceilings | None) -> list[Compared]:
    """What the blocks say of each case that no side failed."""
    made = []
    for case in cases:
        rounds = [block.seconds[case] for block in blocks if case in block.seconds]
        if len(rounds) < len(blocks):
            continue
        ahead = [_ahead(block, case, kernel) for block in blocks]
        flops = WORKLOADS[case.workload].costs(case)["flops"]
        gflops = {name: flops / median(s for each in rounds for s in each[name]) / 1e9 for name in rounds[0]}
        peak = limits and limits.peak(case.dtype, case.threads)
        ratio, low, high = (exp(value) for value in hodges_lehmann(ahead))
        made.append(Compared(case, gflops, ratio, low, high, 100 * gflops[kernel] / peak if peak else None))
    return made


def table_of(compared: Sequence[Compared], kernel: str) -> Table:
    """A row a case."""
    sides = list(compared[0].gflops) if compared else [kernel]
    made = table(
        "size", " dtype", "threads", *sides, "% peak", "x best peer", "interval", title="GFLOPS, alternated in lock-step"
    )
    for each in compared:
        color = "green" if each.low > 1 else "red" if each.high < 1 else "default"
        size = each.case.size if each.case.layout == "nn" else f"{each.case.size} {each.case.layout}"
        peak = "" if each.percent_of_peak is None else percent(each.percent_of_peak)
        made.add_row(
            size, each.case.dtype, str(each.case.threads), *(digits(each.gflops[side]) for side in sides), peak,
            f"[{color}]{each.ratio:.3f}[/]", f"{each.low:.3f}-{each.high:.3f}",
        )  # fmt: skip
    return made


def sentences(compared: Sequence[Compared], kernel: str, blocks: Sequence[Block]) -> list[str]:
    """The geometric mean with its interval, the worst case, and what failed."""
    said = [f"{case.title}: failed: {why}" for case, why in {c: w for block in blocks for c, w in block.failures.items()}.items()]
    if not compared:
        return said
    means = [sum(_ahead(block, each.case, kernel) for each in compared) / len(compared) for block in blocks]
    ratio, low, high = (exp(value) for value in hodges_lehmann(means))
    worst = min(compared, key=lambda each: each.ratio)
    faster, slower = sum(each.low > 1 for each in compared), sum(each.high < 1 for each in compared)
    said.append(
        f"Over {len(compared)} cases {kernel} is {ratio:.3f} [{low:.3f}, {high:.3f}] times as fast as the best peer, by geometric"
        f" mean: faster in {faster}, slower in {slower}, undecided in {len(compared) - faster - slower}."
    )
    said.append(f"Worst: {worst.case.title}, {worst.ratio:.3f} [{worst.low:.3f}, {worst.high:.3f}].")
    return said


def _ahead(block: Block, case: Case, kernel: str) -> float:
    """log(seconds of the best peer / seconds of the kernel), in a block."""
    return min(block.log_ratio(case, peer, kernel) for peer in block.seconds[case] if peer != kernel)
