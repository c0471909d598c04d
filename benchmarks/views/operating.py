"""The gate's operating curve: how often it says what, by how much slower head truly is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.gate.calibration import SLOWDOWNS, Calibration, wilson
from benchmarks.gate.verdict import Judgement, Verdict, judge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOADS = {"idle": "nothing else running", "hog": "beside a process that takes one processor half of the time"}


def comparisons(found: Calibration, load: str, slowdown: float) -> list[Judgement]:
    """All at one slowdown, under one load, as today's rule judges their blocks."""
    return [
        judge(each.row.logs, one.min_effect) for one in found.rounds if one.load == load for each in one.comparisons
        if each.slowdown == slowdown and each.row.logs and not each.row.failure
    ]  # fmt: skip


def share(chosen: Sequence[Judgement], verdict: Verdict) -> tuple[int, float, float]:
    """How many have that verdict, and the interval of their share."""
    count = sum(each.verdict is verdict for each in chosen)
    return count, *wilson(count, len(chosen))


def markdown(found: Calibration, picture: str) -> str:
    """The page: what was done, the table, and the picture."""
    rounds = len(found.rounds)
    first = found.rounds[0]
    lines = [
        "# The gate's operating curve",
        "",
        "`python -m benchmarks gate --calibrate` adds a round and writes this page from all rounds so far, which are kept in"
        " [gate.json](gate.json). A round compares a commit with itself, built twice, and with itself made to work 2, 3, 5 and"
        " 10 % longer, on twelve benchmarks, by the gate's own code: engine, looks, verdicts.",
        "",
        f"{rounds} round{'s' if rounds > 1 else ''}, {first.machine.cpu}, {first.machine.cores} cores; least change that matters"
        f" {100 * first.min_effect:g} %, budget {_minutes(found)} minutes for twelve benchmarks on two sides.",
        "",
        f"![Share of verdicts by true slowdown]({picture})",
        "",
    ]
    for load, meaning in LOADS.items():
        if not any(one.load == load for one in found.rounds):
            continue
        lines += [
            f"## {meaning[0].upper()}{meaning[1:]}",
            "",
            "| true slowdown | comparisons | slower | 95 % interval | no change | faster | inconclusive | blocks, median |",
            "|---:|---:|---:|---|---:|---:|---:|---:|",
        ]
        for slowdown in SLOWDOWNS:
            chosen = comparisons(found, load, slowdown)
            counts = {verdict: share(chosen, verdict) for verdict in Verdict}
            slower, low, high = counts[Verdict.SLOWER]
            blocks = sorted(each.blocks for each in chosen)
            lines.append(
                f"| {100 * slowdown:g} % | {len(chosen)} | {slower} | {100 * low:.0f} to {100 * high:.0f} % |"
                f" {counts[Verdict.SAME][0]} | {counts[Verdict.FASTER][0]} | {counts[Verdict.INCONCLUSIVE][0]} |"
                f" {blocks[len(blocks) // 2] if blocks else ''} |"
            )
        lines.append("")
    return "\n".join([*lines, f"Between equal sides: {false_alarms(found)}.", ""])


def _minutes(found: Calibration) -> str:
    """The rounds' budgets, from the least to the most."""
    budgets = sorted({one.budget_s / 60 for one in found.rounds})
    return " to ".join(f"{each:g}" for each in dict.fromkeys((budgets[0], budgets[-1])))


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
    """Share of verdicts over the true slowdown, loads apart."""
    from matplotlib.figure import Figure

    loads = [load for load in LOADS if any(one.load == load for one in found.rounds)]
    figure = Figure(figsize=(4.6 * len(loads), 3.6), layout="constrained")
    for place, load in enumerate(loads, start=1):
        axes = figure.add_subplot(1, len(loads), place)
        for verdict, color, marker in (
            (Verdict.SLOWER, "#d55e00", "o"), (Verdict.SAME, "#0072b2", "s"), (Verdict.INCONCLUSIVE, "#999999", "^")
        ):  # fmt: skip
            groups = [(slowdown, comparisons(found, load, slowdown)) for slowdown in SLOWDOWNS]
            points = [(slowdown, len(group), *share(group, verdict)) for slowdown, group in groups if group]
            x, shares = [100 * each[0] for each in points], [100 * each[2] / each[1] for each in points]
            ends = [(100 * each[3], 100 * each[4]) for each in points]
            reach = [[max(0, s - low) for s, (low, _) in zip(shares, ends, strict=True)],
                     [max(0, high - s) for s, (_, high) in zip(shares, ends, strict=True)]]  # fmt: skip
            axes.errorbar(x, shares, yerr=reach, color=color, marker=marker, capsize=3, label=str(verdict))
        axes.set(xlabel="true slowdown, %", ylabel="share of verdicts, %", ylim=(-4, 104))
        axes.set_title(LOADS[load], fontsize=9)
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
    return figure
