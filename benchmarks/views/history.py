"""Series over commits, as a table, in words, and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.trackers.history import Series, Step
from minisgd.common import units
from minisgd.common.pictures import CYCLE, tip
from minisgd.common.tables.description import Cell, Column, Table, Value, words

PANELS = 6
"""The most series in one picture; the table has all."""

LABELS = 9
"""The most commits named below a panel: more names would overlap."""

COLORS = {"worse": "#d55e00", "better": "#009e73"}


def table_of(shown: Sequence[Series], commit_url: str = "") -> Table:
    """A row for each step, and one for each series without a step. `commit_url` is the prefix of links to commits."""
    made = Table([
        words("case"), words("of", help="what is measured: less is better"), Column("commits"), Column("first"), Column("last"),
        words("at commit"), Column("from"), Column("to"), Column("ratio", help="to over from"), words("verdict"),
    ])  # fmt: skip
    for each in shown:
        ends = (_cell(each, each.values[0]), _cell(each, each.values[-1]))
        cells: list[Value | Cell] = [each.case.title, each.metric.split()[0], len(each.points), *ends]
        for step in each.steps:
            made.add(
                *cells, Cell(step.commit[:8], link=commit_url and commit_url + step.commit), _cell(each, step.before),
                _cell(each, step.after), step.ratio, Cell(step.verdict, style="bad" if step.verdict == "worse" else "good"),
            )  # fmt: skip
        if not each.steps:
            made.add(*cells, "", "", "", "", "no step")
    return made


def sentences(found: Sequence[Series]) -> list[str]:
    """How many series there are, and how many of them got worse, better, or neither."""
    worse = sum(any(step.verdict == "worse" for step in each.steps) for each in found)
    better = sum(any(step.verdict == "better" for step in each.steps) for each in found)
    commits = {point.commit for each in found for point in each.points}
    where = sorted({each.machine for each in found})
    said = [
        f"{len(found)} series over {len(commits)} commits on {', '.join(where)}: {worse} with a step for the worse, {better} with"
        f" one for the better, {sum(not each.steps for each in found)} without. Of each metric, less is better."
    ]
    if failing := sum(each.fails_since is not None for each in found):
        said.append(f"{failing} fail{'s' * (failing == 1)} since a commit, to the last: worse, without a ratio.")
    if dated := sum(each.by_date for each in found):
        said.append(f"{dated} of the series are sorted by the dates of their commits: no repository here has all of them.")
    return said


def plain(found: Sequence[Series]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "case": each.case.title, "metric": each.metric, "machine": each.machine, "environment": each.environment,
            "commits": [point.commit for point in each.points], "values": each.values,
            "fails_since": each.fails_since, "by_date": each.by_date,
            "steps": [
                {"commit": step.commit, "before": step.before, "after": step.after, "ratio": step.ratio, "verdict": step.verdict}
                for step in each.steps
            ],
        }
        for each in found
    ]  # fmt: skip


def picture(shown: Sequence[Series]) -> Figure:
    """The first series, each with its points, intervals, levels and steps."""
    chosen = shown[:PANELS]
    figure = Figure(figsize=(10, 0.6 + 2.2 * len(chosen)), layout="constrained")
    for axes, each, (color, marker) in zip(figure.subplots(len(chosen), squeeze=False)[:, 0], chosen, CYCLE, strict=False):
        places = range(len(each.points))
        values = each.values
        below = [max(0, value - point.low) for value, point in zip(values, each.points, strict=True)]
        above = [max(0, point.high - value) for value, point in zip(values, each.points, strict=True)]
        axes.errorbar(places, values, [below, above], color=color, marker=marker, linestyle="none", capsize=3)
        tips = [f"{point.commit[:8]}: {_value(each, value)}" for value, point in zip(values, each.points, strict=True)]
        tip(axes, places, values, tips)
        for left, right, level in each.levels:
            axes.hlines(level, left - 0.4, right - 0.6, color="black", linewidth=1)
        for step in each.steps:
            at = next((place for place, point in enumerate(each.points) if point.commit == step.commit), len(each.points))
            axes.axvline(at - 0.5, color=COLORS[step.verdict], linestyle="--")
            change = f"x {_ratio(step)}" if step.ratio else _value(each, step.after)
            axes.annotate(
                f"{step.verdict} {change}", (at - 0.5, 0.05), (4, 0), xycoords=("data", "axes fraction"),
                textcoords="offset points", color=COLORS[step.verdict],
            )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_ylabel(each.metric)
        if each.metric == "seconds":
            axes.set_ylabel("time")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: units.duration(value) if value else "0"))
        axes.set_title(each.case.title, loc="left", fontsize=10)
        shown_at = list(places)[:: -(-len(places) // LABELS)]
        axes.set_xticks(shown_at, [_commit(each, place) for place in shown_at], fontsize=8)
    return figure


def _commit(each: Series, place: int) -> str:
    point = each.points[place]
    return f"{point.commit[:8]}\n{datetime.fromtimestamp(point.date, UTC):%Y-%m-%d}"


def _ratio(step: Step) -> str:
    return "" if step.ratio is None else units.digits(step.ratio)


def _cell(each: Series, value: float | None) -> Cell:
    return Cell(value, _value(each, value))


def _value(each: Series, value: float | None) -> str:
    if value is None:
        return "fails"
    return units.size(int(value)) if each.metric.endswith("bytes") else units.seconds(value)
