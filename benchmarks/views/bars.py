"""Bars with their figures beside them: what starting costs, and what each level of memory brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from benchmarks.harness.machines import Ceilings
from benchmarks.harness.relations import balance
from benchmarks.views.models import Overhead
from minisgd.common.pictures import series, tip
from minisgd.common.plates import GREY, SMALL, Label, Panel, Plate, style
from minisgd.common.units import digits, percent, seconds


@dataclass(frozen=True)
class Bar:
    """A bar's name, length, text, colour, and the series that it belongs to."""

    name: str
    length: float
    text: str
    color: str
    of: str = ""


def bars(found: Sequence[Bar], xlabel: str, most: float | None = None) -> Plate:
    """The first one on top."""

    def draw(axes: Axes) -> list[Label]:
        for place, each in enumerate(found):
            (patch,) = axes.barh(place, each.length, color=each.color, height=0.7)
            patch.set_gid(series(each.of) if each.of else None)
            axes.annotate(each.text, (each.length, place), (4, 0), textcoords="offset points", va="center", fontsize=SMALL)
        tip(axes, [each.length for each in found], range(len(found)), [f"{each.name}: {each.text}" for each in found])
        axes.set_yticks(range(len(found)), [each.name for each in found])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(xlabel=xlabel, xlim=(0, 1.45 * (most or max(each.length for each in found))))
        if most:
            axes.set_xticks([most * part / 4 for part in range(5)])
        return []

    return Plate([Panel(draw, (5.2, 1.1 + 0.3 * len(found)))])


def overhead(found: Mapping[str, Overhead]) -> Plate:
    """The share of a call's time that starting operations takes, by kernel, most first."""
    made = [
        Bar(name, 100 * each.share, f"{percent(100 * each.share)} %, {seconds(each.start_s)} a start" if each.start_s else "0 %",
            style(name.split("/", maxsplit=1)[0])[0], name)
        for name, each in sorted(found.items(), key=lambda item: -item[1].share)
    ]  # fmt: skip
    return bars(made, "% of the time spent starting operations", 100)


def supply(limits: Ceilings, dtype: str = "float32", threads: int = 1) -> Plate | None:
    """What multiply-adds could take in beside what each level of memory brings, in GB/s; None where either was not measured."""
    peak = limits.peak(dtype, threads)
    bands = [each for each in limits.bandwidths if each.threads == threads]
    if not peak or not bands:
        return None
    taken, _ = balance(dtype, peak, bands[0].read_gbs)
    made = [Bar("multiply-adds could take", taken, f"{digits(taken)} GB/s", "#d55e00")]
    made += [Bar(f"{each.level} brings", each.read_gbs, f"{digits(each.read_gbs)} GB/s", GREY) for each in bands]
    return bars(made, "GB/s, one thread" if threads == 1 else f"GB/s, {threads} threads")
