"""Scaling as pictures: efficiency as it was measured, and the batch from which ranks pay as it is reckoned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from benchmarks.harness.records import Run
from benchmarks.scaling import compared
from benchmarks.scaling.compared import Pair
from benchmarks.scaling.model import NETWORKS, Fit, Network
from benchmarks.views.scaling import by, named
from minisgd.common.cli import UsageError
from minisgd.common.pictures import series, tip
from minisgd.common.plates import INK, Label, Panel, Plate, colors, plain
from minisgd.common.units import shorten, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = [2**power for power in range(1, 13)]
"""Numbers of ranks, up to 4,096."""


def measured(run: Run) -> Plate:
    """Efficiency of several ranks: a panel for the same work and one for as much work a rank, a row for each work.

    Raises
    ------
    UsageError
        If the run has no several ranks that passed.
    """
    panels = {"the same work": compared.strong(run), "as much work a rank": compared.weak(run)}
    pairs = [pair for found in panels.values() for pair in found]
    if not pairs:
        raise UsageError("nothing to draw: the run has no case of several ranks that passed")
    doers = list(dict.fromkeys(by(pair.several) for pair in pairs))
    rows = max(len({named(pair.several) for pair in found}) for found in panels.values())
    size = (5.5, 1.2 + (0.1 + 0.16 * len(doers)) * rows)
    made = [Panel(partial(_efficiencies, title=title, pairs=found, doers=doers), size) for title, found in panels.items()]
    return Plate(made, shorten(run.machine.cpu))


def _efficiencies(axes: Axes, title: str, pairs: Sequence[Pair], doers: Sequence[str]) -> list[Label]:
    works, labels = list(dict.fromkeys(named(pair.several) for pair in pairs)), []
    for place, (doer, (color, marker)) in enumerate(colors(doers).items()):
        mine = [pair for pair in pairs if by(pair.several) == doer]
        beside = 0.8 * ((place + 0.5) / len(doers) - 0.5)  # where several do the same work
        rows = [works.index(named(pair.several)) + beside for pair in mine]
        spans = [[100 * end * pair.efficiency / pair.speedup[0] for end in pair.speedup] for pair in mine]
        middles = [middle for middle, _, _ in spans]
        reach = [[middle - low for middle, low, _ in spans], [high - middle for middle, _, high in spans]]
        drawn = axes.errorbar(middles, rows, xerr=reach, linestyle="", color=color, marker=marker, capsize=3)
        for part in (drawn.lines[0], *drawn.lines[1], *drawn.lines[2]):
            part.set_gid(series(doer))
        tip(axes, middles, rows, [f"{named(pair.several)}, {doer}: {within(pair.speedup)} times one" for pair in mine])
        labels += [Label(spans[0][2], rows[0], doer, color, doer)] if mine else []
    axes.axvline(100, color=INK, linewidth=1)
    axes.set_yticks(range(len(works)), works, fontsize=8)
    axes.set(xlim=(0, None), ylim=(max(0, len(works) - 1) + 0.6, -0.6), xlabel="efficiency, %")
    axes.set_title(title, loc="left", fontsize=10)
    return labels


def paying(fitted: Sequence[Fit]) -> Plate:
    """The batch from which R ranks pay over R, a panel for each shape: marks were measured, lines are reckoned."""
    shapes = list(dict.fromkeys(shape for fit in fitted for shape in fit.loops))
    panels = [Panel(partial(_paying, fitted=fitted, shape=shape), (5.5, 4.2)) for shape in shapes]
    return Plate(panels, "Marks: measured here. Lines: reckoned by the model; dashed, on a network that was put in.")


def _paying(axes: Axes, fitted: Sequence[Fit], shape: str) -> list[Label]:
    ways = {_way(fit, network): (fit, network) for fit in fitted for network in (None, *NETWORKS)}
    labels = []
    for name, (color, marker) in colors(list(ways)).items():
        fit, network = ways[name]
        reckoned = {ranks: fit.pays_from(shape, ranks, network) for ranks in REACH if shape in fit.loops}
        paid = {ranks: batch for ranks, batch in reckoned.items() if batch < inf}
        if not paid:
            continue
        axes.loglog(list(paid), list(paid.values()), "--" if network else "-", color=color, linewidth=1.3, gid=series(name))
        seen = [(ranks, batch) for ranks, batch in paid.items() if not network and ranks <= fit.ranks]
        if seen:
            axes.plot(*zip(*seen, strict=True), linestyle="", color=color, marker=marker, gid=series(name))
        tip(axes, paid, paid.values(), [f"{name}, {ranks:,} ranks: from batch {batch:,.0f}" for ranks, batch in paid.items()])
        last = max(paid)
        labels.append(Label(last, paid[last], name, color, name, edge=True))
    plain(axes, "x", REACH[::3])
    axes.set(xlabel="ranks", ylabel="batch from which they pay")
    axes.set_title(f"d x k = {shape}", loc="left", fontsize=10)
    return labels


def _way(fit: Fit, network: Network | None) -> str:
    return f"{fit.transport}, {network.name if network else 'this machine'}"
