"""What a step costs, over the batch size."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from benchmarks.harness.records import Record
from minisgd.common.plates import GREY, Label, Panel, Plate, colors, curve, plain
from minisgd.common.units import duration, seconds


def steps(records: Sequence[Record], colored: Sequence[str]) -> Plate:
    """Time of a step over the batch size, a line for each implementation; those that are not coloured are grey."""
    names = list(dict.fromkeys(each.kernel for each in records))
    styles = colors([name for name in names if name in colored])

    def draw(axes: Axes) -> list[Label]:
        labels = []
        for name in names:
            mine = sorted((each for each in records if each.kernel == name), key=lambda each: each.shape["batch"])
            x = [each.shape["batch"] for each in mine]
            spans = [[end / steps_of(each) for end in (each.median_s or 0, *each.interval_s)] for each in mine]
            told = [f"{each.title}: {seconds(span[0])} a step" for each, span in zip(mine, spans, strict=True)]
            look = styles.get(name, (GREY, "."))
            curve(axes, x, spans, name, look, told)
            labels.append(Label(x[-1], spans[-1][0], name, look[0], name, edge=True))
        axes.set(xscale="log", yscale="log", xlabel="batch size", ylabel="time of a step")
        plain(axes, "x", [each.shape["batch"] for each in records])
        plain(axes, "y", write=duration)
        return labels

    return Plate([Panel(draw, (5.4, 4.2))])


def steps_of(record: Record) -> int:
    """Steps of an epoch."""
    return -(-record.shape["n"] // record.shape["batch"])
