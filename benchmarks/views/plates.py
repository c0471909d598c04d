"""Pictures of panels, each a plot with one axis of values, and the labels that stand where a key would have to be looked up.

A page shows the panels beside or below each other, as its width allows; a file has them in one figure. Labels are placed once the
layout is settled: matplotlib measures them, and each goes to the nearest place where it covers no other. (adjustText moves labels
by forces and promises no free place; matplotlib's own legends are keys.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log10

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from minisgd.common.pictures import CYCLE, OTHER, STYLES, series

INK, GREY = "black", "#767676"
"""The page puts its own ink in the place of black; the grey is legible on light and dark paper."""

SMALL = 8.5
GAP = 2.0
"""Points between two labels."""

AROUND = [(1, 0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 0), (-1, 1), (-1, -1)]
"""Where a label may stand beside its point: right first, left last."""

AWAY, NEAR = (6, 12, 20, 30, 42, 56, 72, 90), 12
"""Points from the point to the label; up to the nearer ones no line is needed to tell whose label it is."""

LEADER = {"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2}


@dataclass(frozen=True)
class Label:
    """A text at a point: beside it, or at the right edge of the plot, level with it if there is room.

    Parameters
    ----------
    x, y : float
        In data coordinates.
    text, color : str
    of : str
        The series that it belongs to.
    edge : bool
        Whether it stands at the right edge.
    """

    x: float
    y: float
    text: str
    color: str = INK
    of: str = ""
    edge: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot.

    Parameters
    ----------
    draw : callable
        Draws on axes, and returns the labels.
    size : (float, float)
        Inches.
    """

    draw: Callable[[Axes], Sequence[Label]]
    size: tuple[float, float] = (4.6, 3.5)


@dataclass(frozen=True)
class Plate:
    """A picture of panels.

    Parameters
    ----------
    panels : list of Panel
    title : str
        What a file has above them; a page has a caption.
    columns : int
        Of panels side by side, in a file.
    """

    panels: list[Panel] = field(default_factory=list)
    title: str = ""
    columns: int = 2

    def figure(self) -> Figure:
        """All panels in one figure."""
        across = min(self.columns, len(self.panels))
        down = -(-len(self.panels) // across)
        width, height = (max(panel.size[side] for panel in self.panels) for side in (0, 1))
        figure = Figure(figsize=(width * across, height * down + 0.4 * bool(self.title)), layout="constrained")
        places = figure.subplots(down, across, squeeze=False).flat
        labels = [(axes, panel.draw(axes)) for axes, panel in zip(places, self.panels, strict=False)]
        for spare in list(places)[len(self.panels) :]:
            spare.remove()
        if self.title:
            figure.suptitle(self.title, x=0.01, ha="left", fontsize=11)
        return finished(figure, labels)

    def figures(self) -> list[Figure]:
        """Each panel as a figure of its own."""
        made = []
        for panel in self.panels:
            figure = Figure(figsize=panel.size, layout="constrained")
            axes = figure.subplots()
            made.append(finished(figure, [(axes, panel.draw(axes))]))
        return made


def style(backend: str) -> tuple[str, str]:
    """Colour and marker of a backend."""
    return STYLES.get(backend, OTHER)


def colors(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """A colour and a marker for each of a few series that are not backends."""
    return dict(zip(names, CYCLE * (1 + len(names) // len(CYCLE)), strict=False))


def finished(figure: Figure, labels: Sequence[tuple[Axes, Sequence[Label]]]) -> Figure:
    """The figure with its labels, none of which covers another or a point that has one."""
    edges = [(axes, each, _at_edge(axes, each)) for axes, some in labels for each in some if each.edge]
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()  # settles the layout, with room for the labels at the edge
    figure.set_layout_engine("none")
    for axes, some in labels:
        beside = [(each, text) for owner, each, text in edges if owner is axes]
        _spread([text for _, text in beside])
        taken = [_box(text) for _, text in beside]
        written = {id(text) for _, text in beside}
        taken += [text.get_window_extent().padded(GAP) for text in axes.texts if id(text) not in written]
        inside = [each for each in some if not each.edge]
        points = [axes.transData.transform((each.x, each.y)) for each in inside]
        taken += [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in points]
        lines = _along_lines(axes) if inside else []
        for each in inside:
            taken.append(_place(axes, each, taken, lines))
    return figure


def _along_lines(axes: Axes) -> list[Bbox]:
    """Small boxes along all lines and points of a plot, which a label had better not cover."""
    found = []
    for line in axes.lines:
        corners = axes.transData.transform([(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)])
        if line.get_transform() != axes.transData or line.get_alpha() not in (None, 1):
            continue  # a line across the plot, or the unseen points that tell their values
        for (x, y), (u, v) in pairwise(corners):
            pieces = max(1, int(max(abs(u - x), abs(v - y)) / 6))
            found += [(x + (u - x) * piece / pieces, y + (v - y) * piece / pieces) for piece in range(pieces + 1)]
    return [Bbox.from_bounds(x - 2, y - 2, 4, 4) for x, y in found]


def _at_edge(axes: Axes, each: Label) -> Annotation:
    return axes.annotate(
        each.text, (each.x, each.y), (1.02, each.y), xycoords="data", textcoords=axes.get_yaxis_transform(), va="center",
        color=each.color, fontsize=SMALL, annotation_clip=False, gid=_gid(each),
        arrowprops={**LEADER, "relpos": (0, 0.5), "color": each.color, "linestyle": ":", "gid": _gid(each)},
    )  # fmt: skip


def _gid(each: Label) -> str | None:
    return series(each.of) if each.of else None


def _spread(texts: Sequence[Annotation]) -> None:
    """Push labels at an edge apart, in the order of their points, as little as is needed."""
    ordered = sorted(texts, key=lambda text: (text.xyann[1], text.get_text()))
    if not ordered:
        return
    axes = ordered[0].axes
    assert axes is not None
    room = max(_box(text).height for text in ordered)
    wanted = [axes.transData.transform((1, text.xyann[1]))[1] for text in ordered]
    low, high = axes.bbox.y0, max(axes.bbox.y1, axes.bbox.y0 + room * len(ordered))
    groups: list[tuple[list[float], float]] = []  # labels that touch, and the middle that they would have together
    for height in wanted:
        groups.append(([height], height))
        while len(groups) > 1 and _top(groups[-2], room) > _bottom(groups[-1], room):
            (upper, _), (lower, _) = groups.pop(), groups.pop()
            members = lower + upper
            groups.append((members, sum(members) / len(members)))
    placed: list[float] = []
    for members, middle in groups:
        start = middle - room * (len(members) - 1) / 2
        placed += [start + room * place for place in range(len(members))]
    for place, height in enumerate(placed):  # within the axes, from below and then from above
        placed[place] = max(height, low + room * (place + 0.5))
    for place in range(len(placed) - 1, -1, -1):
        placed[place] = min(placed[place], high - room * (len(placed) - 1 - place + 0.5))
    for text, height in zip(ordered, placed, strict=True):
        text.xyann = (1.02, axes.transData.inverted().transform((0, height))[1])


def _top(group: tuple[list[float], float], room: float) -> float:
    return group[1] + room * len(group[0]) / 2


def _bottom(group: tuple[list[float], float], room: float) -> float:
    return group[1] - room * len(group[0]) / 2


def _box(text: Annotation) -> Bbox:
    """What the text covers, without its line to the point."""
    text.get_window_extent()  # moves it to where it is to stand
    return Text.get_window_extent(text).padded(GAP)


def _place(axes: Axes, each: Label, taken: Sequence[Bbox], lines: Sequence[Bbox]) -> Bbox:
    """Write a label at the nearest place beside its point that is free and within the axes; return what it covers."""
    text = axes.annotate(
        each.text, (each.x, each.y), (0, 0), textcoords="offset points", color=each.color, fontsize=SMALL, annotation_clip=False,
        gid=_gid(each), arrowprops={**LEADER, "color": each.color, "gid": _gid(each)},
    )  # fmt: skip

    def stand(away: int, right: int, up: int) -> Bbox:
        text.set(ha=("center", "left", "right")[right], va=("center", "bottom", "top")[up])
        text.xyann = (right * away, up * away)
        return _box(text)

    def covered(place: tuple[int, int, int]) -> int:
        box = stand(*place)
        crossed = sum(box.overlaps(other) for other in lines)
        return crossed + 99 * sum(box.overlaps(other) for other in taken) + 300 * (not _within(box, axes.bbox))

    places = [(away, right, up) for away in AWAY for right, up in AROUND]
    found = next((place for place in places if not covered(place)), None) or min(places, key=covered)
    box = stand(*found)
    if text.arrow_patch:
        text.arrow_patch.set_visible(found[0] > NEAR)
    text.arrowprops["relpos"] = text._arrow_relpos = ((0.5, 0, 1)[found[1]], (0.5, 0, 1)[found[2]])
    return box


def _within(box: Bbox, frame: Bbox) -> bool:
    return bool(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)


def plain(axes: Axes, which: str, ticks: Sequence[float] = (), write: Callable[[float], str] = "{:,.10g}".format) -> None:
    """A logarithmic axis with plain numbers: at the given values, as far as they have room; else at 1, or at 1, 2 and 5."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    if ticks:
        chosen: list[float] = []
        for tick in sorted(set(ticks)):
            if not chosen or log10(tick / chosen[-1]) > 0.07 * log10(high / low):
                chosen.append(tick)
        axis.set_major_locator(FixedLocator(chosen))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())
