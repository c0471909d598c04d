"""The gate's operating curve, as a page and as a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.gate.calibration import SLOWDOWNS, Calibration, Load
from benchmarks.gate.operating import LOADS, Line, comparisons, curve, effects, false_alarms, lines_of, minutes_of, share, unseen
from benchmarks.gate.verdict import LOOKS, Verdict
from benchmarks.views.naming import machine_name
from minisgd.common.cli import UsageError
from minisgd.common.tables.description import Cell, Column, Table, words
from minisgd.common.tables.to_markdown import to_markdown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MARKED = re.compile(r"(?<=<!-- curve: gate.json -->\n).*?(?=\n<!-- end of curve -->)", re.DOTALL)
"""Where the curve stands in docs/gate.md."""


def page(text: str, found: Calibration, picture: str) -> str:
    """The page, with its curve made anew.

    Raises
    ------
    UsageError
        If it has no markers.
    """
    if not MARKED.search(text):
        raise UsageError("docs/gate.md: no markers; expected <!-- curve: gate.json --> and <!-- end of curve -->")
    return MARKED.sub(lambda old: markdown(found, picture).strip(), text)


def markdown(found: Calibration, picture: str) -> str:
    """The curve: what was done, a table for each load, and the picture."""
    lines = [
        "## How often it is wrong",
        "",
        "How often the gate says what, by how much slower the head truly is. `python -m benchmarks gate --calibrate` adds a round"
        " to [gate.json](gate.json) and makes this curve from all rounds.",
        "",
        f"A round compares a commit with itself, built twice, and with itself made to work {_longer(found)} longer, on twelve"
        " benchmarks, by the gate's own code. The column *blocks* is the median of the blocks that a comparison took.",
        "",
        f"Measured on {_places(found)}. *Matters* is the least change that matters, which that option sets. The budget is the"
        f" time for all twelve benchmarks, 10 minutes by default. In {unseen(found)} comparisons it ended before the first look,"
        f" at {LOOKS[0]} blocks: these are not counted.{_crowded(found)}",
        "",
        f"![Share of verdicts by true slowdown]({picture})",
        "",
    ]
    for load, meaning in LOADS.items():
        if any(one.load == load for one in found.gates):
            lines += [f"### {meaning[0].upper()}{meaning[1:]}", "", to_markdown(verdicts_of(found, load)), ""]
            lines += _beside_others(lines_of(found, load))
    return "\n".join([*lines, f"Between equal sides: {alarms(found)}.", ""])


def verdicts_of(found: Calibration, load: Load) -> Table:
    """How many comparisons have which verdict, a row for each true slowdown and budget."""
    headings = ("true slowdown", "matters", "budget", "comparisons", "slower")
    rest = ("no change", "faster", "inconclusive", "blocks")
    made = Table([*map(Column, headings), words("95 % interval"), *map(Column, rest)])
    budgets = sorted({minutes_of(one) for one in found.gates})
    for slowdown, effect, minutes in product(SLOWDOWNS, effects(found, load), budgets):
        chosen = comparisons(found, load, slowdown, minutes, effect)
        if not chosen:
            continue
        counts = {verdict: share(chosen, verdict) for verdict in Verdict}
        slower, low, high = counts[Verdict.SLOWER]
        others = (counts[verdict][0] for verdict in (Verdict.SAME, Verdict.FASTER, Verdict.INCONCLUSIVE))
        blocks = sorted(each.blocks for each in chosen)
        made.add(
            percentage(slowdown), percentage(effect), f"{minutes} min", len(chosen), slower,
            Cell(low, f"{100 * low:.0f} to {100 * high:.0f} %"), *others, blocks[len(blocks) // 2],
        )  # fmt: skip
    return made


def percentage(slowdown: float) -> str:
    """A share as a percentage: 0.05 is 5 %."""
    return f"{100 * slowdown:g} %"


def _beside_others(lines: Sequence[Line]) -> list[str]:
    """The table of tools; none if there is only one."""
    if len(lines) < 2:
        return []
    columns = [words("tool"), words("rule", code=True), Column("minutes a comparison")]
    tried = [slowdown for slowdown in SLOWDOWNS if any(line.called[slowdown][1] for line in lines)]
    made = Table([*columns, *map(Column, map(percentage, tried))])
    for line in lines:
        counts = (f"{count} of {total}" if total else "" for count, total in map(line.called.__getitem__, tried))
        made.add(line.tool, line.rule, Cell(line.minutes, f"{line.minutes:.1f}"), *counts)
    return [
        "The same test put to other tools: `asv run` of each side and `asv compare`, as `asv continuous` does it; and"
        " pytest-benchmark's check of one stored run against another. Each takes as long as it takes by itself. The columns count"
        " how many comparisons a tool called changed: for equal sides (0 %) slower or faster, both false; for the others slower:",
        "",
        to_markdown(made),
        "",
    ]


def _longer(found: Calibration) -> str:
    """The slowdowns that were made, as one says them."""
    *most, last = (f"{100 * each:g}" for each in SLOWDOWNS if any(one.slowdown == each > 0 for one in found.gates))
    return f"{', '.join(most)} and {last} %" if most else f"{last} %"


def _places(found: Calibration) -> str:
    """The machines, and which changes mattered there."""
    made: dict[str, set[float]] = {}
    for one in found.gates:
        made.setdefault(f"{machine_name(one.machine)}, {one.machine.cores} cores", set()).add(one.min_effect)
    asked = {where: " and ".join(f"{100 * effect:g}%" for effect in sorted(made[where], reverse=True)) for where in made}
    return "; and on ".join(f"{where}, with `--min-effect` {effects}" for where, effects in asked.items())


def _crowded(found: Calibration) -> str:
    """A sentence on the heads that were measured with more than two sides in a block, if there are any."""
    crowded = [one for one in found.gates if one.sides > 2]
    if not crowded:
        return ""
    sides = " or ".join(map(str, sorted({one.sides for one in crowded})))
    return (
        f" {len(crowded)} of the {len(found.gates)} heads took turns with others, {sides} sides in a block. Their"
        " turns lie further from the base's than in a gate of two sides, so they scatter more."
    )


def alarms(found: Calibration) -> str:
    """How often the gate called equal sides slower or faster."""
    false, judged, high = false_alarms(found)
    if not judged:
        return "nothing yet"
    return (
        f"{false} false alarms in {judged} comparisons, slower and faster counted; at most {100 * high:.1f} % at 95 % confidence"
    )


def picture(found: Calibration) -> Figure:
    """The gate's verdicts over the true slowdown, a row for each change that matters; below, what each tool calls changed.

    Each load has a column.
    """
    from matplotlib.figure import Figure  # here, since the gate prints from this module and draws nothing

    loads = [load for load in LOADS if any(one.load == load for one in found.gates)]
    asked = sorted({effect for load in loads for effect in effects(found, load)}, reverse=True)
    rows = len(asked) + bool(found.others)
    figure = Figure(figsize=(4.6 * len(loads), 3.6 * rows), layout="constrained")
    for column, load in enumerate(loads, start=1):
        for row, effect in enumerate(asked):
            axes = figure.add_subplot(rows, len(loads), row * len(loads) + column)
            _verdicts(axes, found, load, effect)
            axes.set_title(LOADS[load] if row == 0 else "", fontsize=9)
            axes.set_ylabel(f"verdicts at --min-effect {100 * effect:g}%, %")
        if found.others:
            below = figure.add_subplot(rows, len(loads), len(asked) * len(loads) + column)
            for line in lines_of(found, load):
                if (line.tool, line.rule) in SHOWN:
                    _curve(below, line.called, label=f"{line.tool}, {line.rule}", **SHOWN[line.tool, line.rule])
            below.set_ylabel("called changed, %")
    for axes in figure.axes:
        axes.set(xlabel="true slowdown, %", xlim=(-0.5, 100 * SLOWDOWNS[-1] + 0.5), ylim=(-4, 104))
        axes.grid(alpha=0.25)
    if found.others:
        handles, labels = figure.axes[-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    figure.axes[0].legend(frameon=False, fontsize=8)
    return figure


def _verdicts(axes: Axes, found: Calibration, load: Load, effect: float) -> None:
    judged = {slowdown: comparisons(found, load, slowdown, effect=effect) for slowdown in SLOWDOWNS}
    for verdict, color, marker in (
        (Verdict.SLOWER, "#d55e00", "o"), (Verdict.SAME, "#0072b2", "s"), (Verdict.INCONCLUSIVE, "#999999", "^")
    ):  # fmt: skip
        counted = {slowdown: (share(group, verdict)[0], len(group)) for slowdown, group in judged.items()}
        _curve(axes, counted, color=color, marker=marker, label=str(verdict))


SHOWN = {
    ("this gate", "--min-effect 3%"): {"color": "#d55e00", "marker": "o"},
    ("this gate", "--min-effect 1%"): {"color": "#d55e00", "marker": "s", "linestyle": "--"},
    ("asv", "--factor 1.05"): {"color": "#009e73", "marker": "D"},
    ("asv", "--factor 1.1"): {"color": "#009e73", "marker": "d", "linestyle": "--"},
    ("pytest-benchmark", "median:5%"): {"color": "#cc79a7", "marker": "v"},
    ("pytest-benchmark", "median:10%"): {"color": "#cc79a7", "marker": "^", "linestyle": "--"},
}
"""The lines of the picture, and their style. More would overlap."""


def _curve(axes: Axes, called: dict[float, tuple[int, int]], **style: Any) -> None:
    """Shares with their intervals, in percent."""
    points = curve(called)
    if not points:
        return
    x, shares, lows, highs = (100 * np.array(each) for each in zip(*points, strict=True))
    axes.errorbar(x, shares, yerr=np.maximum(0, [shares - lows, highs - shares]), capsize=3, **style)
