"""Two runs or machines: what differs comes first, by the ratio of rates with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log

from matplotlib.axes import Axes

from benchmarks.harness.records import Record, Run
from benchmarks.harness.relations import rate
from benchmarks.report.section import Section
from benchmarks.report.sources import Sources
from benchmarks.views.naming import machine_name
from minisgd.common.pictures import series, tip
from minisgd.common.plates import GREY, INK, Label, Panel, Plate, plain
from minisgd.common.tables.description import Cell, Column, Style, Table, interval, words
from minisgd.common.units import digits

SHOWN = 12
"""The most cases in the picture; the table has all."""

NEAR_ONE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.4, 1.7, 2.0)
"""Ticks of an axis too short for powers of ten."""

BETTER, WORSE = "#009e73", "#d55e00"


@dataclass(frozen=True)
class Change:
    """A case in two runs: the rate in the second over that in the first, and the interval at its widest."""

    case: Record
    before: float
    after: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """After over before: above 1 is faster."""
        return self.after / self.before

    @property
    def verdict(self) -> str:
        """Faster or slower if both ends of the interval are on that side of 1."""
        return "faster" if self.low > 1 else "slower" if self.high < 1 else "not told apart"


def differences(sources: Sources) -> list[Section]:
    """A section if two runs have cases in common and are of two machines or commits: the two of those with the most cases."""
    pairs = [
        (found, one, other)
        for one, other in combinations(sorted(sources.runs, key=lambda each: each[1].created), 2)
        if _identity(one[1]) != _identity(other[1]) and (found := changes(one[1], other[1]))
    ]
    if not pairs:
        return []
    found, (before, first), (after, second) = max(pairs, key=lambda pair: len(pair[0]))
    made = Section("differences", "What differs?", "python -m benchmarks gate BASE", story=True)
    one, other = sources.name(before), sources.name(after)
    counts = {verdict: [each.verdict for each in found].count(verdict) for verdict in ("faster", "slower", "not told apart")}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    differ = [each for each in found if each.verdict != "not told apart"]
    made.say(f"From {one} to {other}, of {len(found)} cases: {told}.")
    if differ:
        most = differ[0]
        ends = f"[{digits(most.low)}, {digits(most.high)}]"
        made.say(f"The largest difference: {most.case.title} is {digits(most.ratio)} times as fast {ends}.")
    made.say(
        "The two runs were not measured in the same minutes. Whether a commit is slower, the gate decides, by alternating."
        if _identity(first)[0] == _identity(second)[0]
        else "These are two machines: a case that differs says what they are, not what a commit has done."
    )
    if differ:
        shown = min(SHOWN, len(found))
        made.draw(
            _picture(found[:SHOWN]), f"Times as fast in the second run, with intervals: the {shown} cases that differ most."
        )
    made.tables += [_counts(counts), _table(found, one, other)]
    return [made]


def changes(one: Run, other: Run) -> list[Change]:
    """Cases that both runs have, those that differ for sure first, and the largest ratio first."""
    first = {each.title: each for each in one.records if each.gflops}
    found = []
    for each in other.records:
        if each.gflops and (before := first.get(each.title)):
            low, high = before.gflops_low or rate(before), before.gflops_high or rate(before)
            ends = (each.gflops_low or rate(each)) / high, (each.gflops_high or rate(each)) / low
            found.append(Change(each, rate(before), rate(each), *ends))
    return sorted(found, key=lambda each: (each.verdict == "not told apart", -abs(log(each.ratio))))


def _identity(run: Run) -> tuple[str, str | None]:
    return machine_name(run.machine), run.commit


def _counts(counts: dict[str, int]) -> Table:
    made = Table([words("verdict"), Column("cases")], "How many cases differ")
    for verdict, count in counts.items():
        made.add(verdict, count)
    made.add("all", sum(counts.values()))
    return made


def _table(found: Sequence[Change], one: str, other: str) -> Table:
    columns = [
        Column(one, "GFLOPS"),
        Column(other, "GFLOPS"),
        Column("ratio", help="the second over the first: above 1 is faster"),
    ]
    made = Table([words("case"), *columns, Column("interval"), words("verdict")], "GFLOPS side by side, what differs first")
    styles: dict[str, Style] = {"faster": "good", "slower": "bad"}
    for each in found:
        verdict = Cell(each.verdict, style=styles.get(each.verdict, ""))
        made.add(each.case.title, each.before, each.after, each.ratio, interval(each.low, each.high), verdict)
    return made


def _picture(found: Sequence[Change]) -> Plate:
    def draw(axes: Axes) -> list[Label]:
        for place, each in enumerate(found):
            color = {"faster": BETTER, "slower": WORSE}.get(each.verdict, GREY)
            drawn = axes.errorbar(
                [each.ratio], [place], xerr=[[each.ratio - each.low], [each.high - each.ratio]], fmt="o", color=color, capsize=3
            )
            drawn.lines[0].set_gid(series(each.case.kernel))
        tip(
            axes,
            [each.ratio for each in found],
            range(len(found)),
            [f"{each.case.title}: {digits(each.ratio)}" for each in found],
        )
        axes.axvline(1, color=INK, linewidth=1)
        axes.set_yticks(range(len(found)), [each.case.title for each in found])
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="times as fast: slower to the left, faster to the right")
        low, high = axes.get_xlim()
        plain(axes, "x", NEAR_ONE if high / low < 4 else ())
        return []

    return Plate([Panel(draw, (8.0, 1.2 + 0.28 * len(found)))])
