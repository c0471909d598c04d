"""The gate's operating curve: how often it says what, by how much slower head truly is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.gate.calibration import SLOWDOWNS, Calibration, Gated, Load, wilson
from benchmarks.gate.verdict import LOOKS, Judgement, Verdict, judge

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOADS: dict[Load, str] = {"idle": "nothing else running", "hog": "beside a process that takes one processor half of the time"}


class Line(NamedTuple):
    """How many comparisons a tool called changed by a rule, of how many, by the true slowdown; at none all are alarms."""

    tool: str
    rule: str
    minutes: float
    called: dict[float, tuple[int, int]]


def comparisons(found: Calibration, load: str, slowdown: float, minutes: int | None = None) -> list[Judgement]:
    """All at one slowdown, under one load, as today's rule judges their blocks; not those without a first look.

    Of any budget, or only of so many minutes.
    """
    return [
        judge(each.logs, one.min_effect) for one in found.gates if (one.load, one.slowdown) == (load, slowdown)
        and minutes in (None, _minutes(one))
        for each in one.comparisons if len(each.logs) >= LOOKS[0] and not each.failure
    ]  # fmt: skip


def _minutes(one: Gated) -> int:
    """The budget, rounded."""
    return round(one.budget_s / 60)


def share(chosen: Sequence[Judgement], verdict: Verdict) -> tuple[int, float, float]:
    """How many have that verdict, and the interval of their share."""
    count = sum(each.verdict is verdict for each in chosen)
    return count, *wilson(count, len(chosen))


def lines_of(found: Calibration, load: Load) -> list[Line]:
    """The gate's and the other tools', rule by rule."""
    made = []
    if gates := [one for one in found.gates if one.load == load]:
        called = {}
        for slowdown in SLOWDOWNS:
            verdicts = [each.verdict for each in comparisons(found, load, slowdown)]
            called[slowdown] = verdicts.count(Verdict.SLOWER) + (not slowdown) * verdicts.count(Verdict.FASTER), len(verdicts)
        minutes = mean(one.seconds for one in gates) / 60
        made.append(Line("this gate", f"--min-effect {100 * gates[0].min_effect:g}%", minutes, called))
    for tool in sorted({each.tool for each in found.others}):
        of = [each for each in found.others if (each.tool, each.load) == (tool, load)]
        for rule in of[0].slower if of else ():
            called = dict.fromkeys(SLOWDOWNS, (0, 0))
            for each in of:
                count, total = called[each.slowdown]
                count += len(each.slower[rule]) + (not each.slowdown) * len(each.faster.get(rule, ()))
                called[each.slowdown] = count, total + len(each.benchmarks)
            made.append(Line(tool, rule, mean(each.seconds for each in of) / 60, called))
    return made


def markdown(found: Calibration, picture: str) -> str:
    """The page: what was done, the table, and the picture."""
    first = found.gates[0]
    lines = [
        "# The gate's operating curve",
        "",
        "How often the gate says what, by how much slower the head truly is. `python -m benchmarks gate --calibrate` adds a round"
        " to [gate.json](gate.json) and writes this page from all rounds.",
        "",
        "A round compares a commit with itself, built twice, and with itself made to work 2, 3, 5 and 10 % longer, on twelve"
        " benchmarks, by the gate's own code. The column *blocks* is the median of the blocks that a comparison took.",
        "",
        f"Measured on {first.machine.cpu}, {first.machine.cores} cores; the least change that matters is"
        f" {100 * first.min_effect:g} %. The budget is the time for all twelve benchmarks, 10 minutes by default. In"
        f" {_unseen(found)} comparisons it ended before the first look, at {LOOKS[0]} blocks: these are not"
        f" counted.{_crowded(found)}",
        "",
        f"![Share of verdicts by true slowdown]({picture})",
        "",
    ]
    for load, meaning in LOADS.items():
        if not any(one.load == load for one in found.gates):
            continue
        lines += [
            f"## {meaning[0].upper()}{meaning[1:]}",
            "",
            "| true slowdown | budget | comparisons | slower | 95 % interval | no change | faster | inconclusive | blocks |",
            "|---:|---:|---:|---:|---|---:|---:|---:|---:|",
        ]
        for slowdown, minutes in product(SLOWDOWNS, sorted({_minutes(one) for one in found.gates})):
            chosen = comparisons(found, load, slowdown, minutes)
            if not chosen:
                continue
            counts = {verdict: share(chosen, verdict) for verdict in Verdict}
            slower, low, high = counts[Verdict.SLOWER]
            blocks = sorted(each.blocks for each in chosen)
            lines.append(
                f"| {100 * slowdown:g} % | {minutes} min | {len(chosen)} | {slower} | {100 * low:.0f} to {100 * high:.0f} % |"
                f" {counts[Verdict.SAME][0]} | {counts[Verdict.FASTER][0]} | {counts[Verdict.INCONCLUSIVE][0]} |"
                f" {blocks[len(blocks) // 2]} |"
            )
        lines.append("")
        lines += _beside_others(lines_of(found, load))
    return "\n".join([*lines, f"Between equal sides: {false_alarms(found)}.", ""])


def _beside_others(lines: Sequence[Line]) -> list[str]:
    """The table of tools; none if there is only one."""
    if len(lines) < 2:
        return []
    return [
        "The same test put to other tools: `asv run` of each side and `asv compare`, as `asv continuous` does it; and"
        " pytest-benchmark's check of one stored run against another. Each takes as long as it takes by itself. The columns count"
        " how many comparisons a tool called changed: for equal sides (0 %) slower or faster, both false; for the others slower:",
        "",
        f"| tool | rule | minutes a comparison | {' | '.join(f'{100 * slowdown:g} %' for slowdown in SLOWDOWNS)} |",
        f"|---|---|---:|{'---:|' * len(SLOWDOWNS)}",
        *(
            f"| {line.tool} | `{line.rule}` | {line.minutes:.1f} |"
            f" {' | '.join(f'{count} of {total}' for count, total in line.called.values())} |"
            for line in lines
        ),
        "",
    ]


def _unseen(found: Calibration) -> int:
    """How many comparisons no verdict could fall in."""
    return sum(len(each.logs) < LOOKS[0] for one in found.gates for each in one.comparisons)


def _crowded(found: Calibration) -> str:
    """A sentence on those that were measured beside others, if any were."""
    crowded = [one for one in found.gates if one.sides > 2]
    if not crowded:
        return ""
    return (
        f" {len(crowded)} of the {len(found.gates)} heads took turns with others, {crowded[0].sides} sides in a block. Their"
        " turns lie further from the base's than in a gate of two sides, so they scatter more."
    )


def false_alarms(found: Calibration) -> str:
    """How often it called equal sides slower or faster."""
    alarms = [each for load in LOADS for each in comparisons(found, load, 0.0)]
    if not alarms:
        return "nothing yet"
    false = sum(each.verdict in (Verdict.SLOWER, Verdict.FASTER) for each in alarms)
    _, high = wilson(false, len(alarms))
    return (
        f"{false} false alarms in {len(alarms)} comparisons, slower and faster counted; at most {100 * high:.1f} % at 95 %"
        " confidence"
    )


def picture(found: Calibration) -> Figure:
    """Over the true slowdown: the gate's verdicts, and below what each tool calls slower; loads side by side."""
    from matplotlib.figure import Figure

    loads = [load for load in LOADS if any(one.load == load for one in found.gates)]
    compared = bool(found.others)
    figure = Figure(figsize=(4.6 * len(loads), 3.6 * (1 + compared)), layout="constrained")
    for place, load in enumerate(loads, start=1):
        axes = figure.add_subplot(1 + compared, len(loads), place)
        for verdict, color, marker in (
            (Verdict.SLOWER, "#d55e00", "o"), (Verdict.SAME, "#0072b2", "s"), (Verdict.INCONCLUSIVE, "#999999", "^")
        ):  # fmt: skip
            judged = {slowdown: comparisons(found, load, slowdown) for slowdown in SLOWDOWNS}
            _curve(
                axes, {slowdown: (share(group, verdict)[0], len(group)) for slowdown, group in judged.items()},
                color=color, marker=marker, label=str(verdict),
            )  # fmt: skip
        axes.set_title(LOADS[load], fontsize=9)
        axes.set_ylabel("verdicts of the gate, %")
        if compared:
            below = figure.add_subplot(2, len(loads), len(loads) + place)
            for line in lines_of(found, load):
                if (line.tool, line.rule) in SHOWN:
                    _curve(below, line.called, label=f"{line.tool}, {line.rule}", **SHOWN[line.tool, line.rule])
            below.set_ylabel("called changed, %")
    tools: dict[str, Any] = {}
    for axes in figure.axes:
        axes.set(xlabel="true slowdown, %", ylim=(-4, 104))
        axes.grid(alpha=0.25)
        if axes.get_title():
            axes.legend(frameon=False, fontsize=8)
        else:
            handles, labels = axes.get_legend_handles_labels()
            tools |= dict(zip(labels, handles, strict=True))
    if tools:
        figure.legend(tools.values(), tools.keys(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


SHOWN = {
    ("this gate", "--min-effect 3%"): {"color": "#d55e00", "marker": "o"},
    ("asv", "--factor 1.05"): {"color": "#009e73", "marker": "D"},
    ("asv", "--factor 1.1"): {"color": "#009e73", "marker": "d", "linestyle": "--"},
    ("pytest-benchmark", "median:5%"): {"color": "#cc79a7", "marker": "v"},
    ("pytest-benchmark", "median:10%"): {"color": "#cc79a7", "marker": "^", "linestyle": "--"},
}
"""Lines of the picture: more would hide each other."""


def _curve(axes: Axes, called: dict[float, tuple[int, int]], **style: Any) -> None:
    """Shares with their intervals, in percent."""
    points = [(slowdown, count / of, *wilson(count, of)) for slowdown, (count, of) in called.items() if of]
    if not points:
        return
    x, shares, lows, highs = (100 * np.array(each) for each in zip(*points, strict=True))
    axes.errorbar(x, shares, yerr=np.maximum(0, [shares - lows, highs - shares]), capsize=3, **style)
