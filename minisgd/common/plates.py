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

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from minisgd.common.pictures import CYCLE, OTHER, STYLES, series, tip

INK, GREY = "black", "#767676"
"""The page puts its own ink in the place of black; the grey is legible on light and dark paper."""

SMALL = 8.5
GAP = 2.0
"""Points between two labels."""

AROUND = [(1, 0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 0), (-1, 1), (-1, -1)]
"""Where a label may stand beside its point: right first, left last."""

AWAY, NEAR = (6, 12, 20, 30, 42, 56, 72, 90), 12
"""Points from the point to the label; up to the nearer ones no line is needed to tell whose label it is."""

EVERY = 6
"""Pixels from one box to the next along a line."""

LEADER = {"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2, "patchA": None}


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
        places = list(figure.subplots(down, across, squeeze=False).flat)
        labels = [(axes, panel.draw(axes)) for axes, panel in zip(places, self.panels, strict=False)]
        for spare in places[len(self.panels) :]:
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


def curve(
    axes: Axes, x: Sequence[float], spans: Sequence[Sequence[float]], of: str, look: tuple[str, str], told: Sequence[str]
) -> None:
    """Points with their intervals, joined.

    Parameters
    ----------
    axes : Axes
    x : sequence of float
    spans : sequence of (middle, low, high)
        Without any interval where all three are equal.
    of : str
        The series that they belong to.
    look : (str, str)
        Colour and marker.
    told : sequence of str
        What each point says where the pointer rests.
    """
    middles = [span[0] for span in spans]
    below, above = [middle - low for middle, low, _ in spans], [high - middle for middle, _, high in spans]
    reach = [below, above] if any(below + above) else None
    color, marker = look
    drawn = axes.errorbar(x, middles, reach, color=color, marker=marker, markersize=4, linewidth=1.3, capsize=2)
    for part in (drawn.lines[0], *drawn.lines[1], *drawn.lines[2]):
        part.set_gid(series(of))
    tip(axes, x, middles, told)


def style(backend: str) -> tuple[str, str]:
    """Colour and marker of a backend."""
    return STYLES.get(backend, OTHER)


def colors(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """A colour and a marker for each of a few series that are not backends."""
    return dict(zip(names, CYCLE * (1 + len(names) // len(CYCLE)), strict=False))


def finished(figure: Figure, labels: Sequence[tuple[Axes, Sequence[Label]]]) -> Figure:
    """The figure with its labels, none of which covers another or a point that has one."""
    edges = [(axes, _at_edge(axes, each)) for axes, some in labels for each in some if each.edge]
    FigureCanvasAgg(figure)
    if layout := figure.get_layout_engine():
        layout.execute(figure)  # leaves room for the labels at the edge
        figure.set_layout_engine("none")
    for axes, some in labels:
        _spread([text for owner, text in edges if owner is axes])
        inside = [each for each in some if not each.edge]
        if not inside:
            continue
        texts = [_box(text) if isinstance(text, Annotation) else text.get_window_extent().padded(GAP) for text in axes.texts]
        points = axes.transData.transform([(each.x, each.y) for each in inside])
        around, lines = np.hstack([points - 3, points + 3]), _along_lines(axes)
        for each in inside:
            written = np.array([text.extents for text in texts]).reshape(-1, 4)
            texts += _place(axes, each, Room(written, around, lines))
    return figure


def _along_lines(axes: Axes) -> NDArray[np.float64]:
    """Small boxes along all lines and intervals of a plot, which a label had better not cover."""
    found = [np.empty((0, 2))]
    drawn = [each for lines in axes.collections if isinstance(lines, LineCollection) for each in lines.get_segments()]
    for line in axes.lines:
        if line.get_transform() != axes.transData or line.get_alpha() not in (None, 1):
            continue  # a line across the plot, or the unseen points that tell their values
        drawn.append(np.column_stack([np.asarray(each, float) for each in line.get_data()]))
    for corners in map(axes.transData.transform, drawn):
        for start, end in pairwise(corners):
            found.append(np.linspace(start, end, 2 + int(np.abs(end - start).max() / EVERY)))
    points = np.concatenate(found)
    return np.hstack([points - 2, points + 2])


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
    figure = text.get_figure(root=True)
    assert figure is not None
    text.update_positions(figure.canvas.get_renderer())  # type: ignore[attr-defined]
    return Text.get_window_extent(text).padded(GAP)


@dataclass(frozen=True)
class Room:
    """What a label had better not cover, a row of corners each: texts and the lines that lead to them, labelled points, lines."""

    texts: NDArray[np.float64]
    points: NDArray[np.float64]
    lines: NDArray[np.float64]

    def covered(self, box: Bbox, leader: Sequence[Bbox], frame: Bbox) -> int:
        """How bad a place is, 0 for a free one: to cover a text is worse than a point, a point worse than a line."""
        crossed = any(_overlaps(part, self.texts) for part in leader)
        bad = 300 * _overlaps(box, self.texts) + 300 * (not _within(box, frame)) + 99 * _overlaps(box, self.points)
        return bad + 50 * crossed + _overlaps(box, self.lines)


def _place(axes: Axes, each: Label, room: Room) -> list[Bbox]:
    """Write a label at the nearest place beside its point that is free and within the axes; return what it and its line cover."""
    text = axes.annotate(
        each.text, (each.x, each.y), (0, 0), textcoords="offset points", color=each.color, fontsize=SMALL, annotation_clip=False,
        gid=_gid(each), arrowprops={**LEADER, "color": each.color, "gid": _gid(each)},
    )  # fmt: skip

    def stand(away: int, right: int, up: int) -> Bbox:
        text.set(ha=("center", "left", "right")[right], va=("center", "bottom", "top")[up])
        text.xyann = (right * away, up * away)
        return _box(text)

    def covered(place: tuple[int, int, int]) -> int:
        return room.covered(stand(*place), _leader(axes, each, place), axes.bbox)

    places = [(away, right, up) for away in AWAY for right, up in AROUND]
    found = next((place for place in places if not covered(place)), None) or min(places, key=covered)
    if text.arrow_patch:
        text.arrow_patch.set_visible(found[0] > NEAR)
    text._arrow_relpos = ((0.5, 0, 1)[found[1]], (0.5, 0, 1)[found[2]])  # type: ignore[attr-defined]
    return [stand(*found), *_leader(axes, each, found)]


def _leader(axes: Axes, each: Label, place: tuple[int, int, int]) -> list[Bbox]:
    """Small boxes along the line from a point to its label, if it needs one; the point's own surroundings left out."""
    away, right, up = place
    if away <= NEAR:
        return []
    start = np.array(axes.transData.transform((each.x, each.y)))
    end = start + np.array([right, up]) * away * axes.figure.dpi / 72
    return [Bbox.from_extents(x - 1, y - 1, x + 1, y + 1) for x, y in np.linspace(start, end, 10)[2:-1]]


def _overlaps(box: Bbox, others: NDArray[np.float64]) -> int:
    """How many of the others, a row of corners each, a box covers a part of."""
    x0, y0, x1, y1 = others.T
    return int(((x0 < box.x1) & (box.x0 < x1) & (y0 < box.y1) & (box.y0 < y1)).sum())


def _within(box: Bbox, frame: Bbox) -> bool:
    return bool(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)


def plain(axes: Axes, which: str, ticks: Sequence[float] = (), write: Callable[[float], str] = "{:,.10g}".format) -> None:
    """A logarithmic axis with plain numbers: at the given values, as far as they have room; else at 1, or at 1, 2 and 5."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    if ticks:
        chosen: list[float] = []
        for tick in sorted(set(ticks)):
            if not chosen or log10(tick / chosen[-1]) > 0.085 * log10(high / low):
                chosen.append(tick)
        axis.set_major_locator(FixedLocator(chosen))
    else:
        crowded = which == "x" and high / low > 1e5
        axis.set_major_locator(LogLocator(100.0 if crowded else 10.0, subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())
