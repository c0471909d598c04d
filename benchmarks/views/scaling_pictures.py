"""Scaling as pictures: efficiency as it was measured, and the batch from which ranks pay as it is reckoned."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from benchmarks.harness.records import Run
from benchmarks.scaling import compared
from benchmarks.scaling.compared import Pair
from benchmarks.scaling.model import NETWORKS, Fit
from benchmarks.views.scaling import by, named
from minisgd.common.cli import UsageError
from minisgd.common.pictures import CYCLE, tip
from minisgd.common.units import shorten, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = [2**power for power in range(1, 13)]
"""Numbers of ranks, up to 4,096."""


def measured(run: Run) -> Figure:
    """Efficiency of several ranks, the same work on the left and as much work a rank on the right.

    Raises
    ------
    UsageError
        If the run has no several ranks that passed.
    """
    panels = {"the same work": compared.strong(run), "as much work a rank": compared.weak(run)}
    pairs = [pair for found in panels.values() for pair in found]
    if not pairs:
        raise UsageError("nothing to draw: the run has no case of several ranks that passed")
    styles = dict(zip(dict.fromkeys(by(pair.several) for pair in pairs), CYCLE, strict=False))
    lengths = [max(1, len({named(pair.several) for pair in found})) for found in panels.values()]
    figure = Figure(figsize=(11, 1.8 + (0.1 + 0.12 * len(styles)) * max(lengths)), layout="constrained")
    for axes, (title, found) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        works = list(dict.fromkeys(named(pair.several) for pair in found))[::-1]
        for place, (doer, (color, marker)) in enumerate(styles.items()):
            mine = [pair for pair in found if by(pair.several) == doer]
            below = 0.8 * ((place + 0.5) / len(styles) - 0.5)  # beside each other, where several do the same work
            _points(axes, mine, [works.index(named(pair.several)) - below for pair in mine], color, marker)
        axes.axvline(100, color="black", linewidth=1)
        axes.set_yticks(range(len(works)), works, fontsize=8)
        axes.set_ylim(-0.6, max(0, len(works) - 1) + 0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel("efficiency, %")
        axes.set_title(title, loc="left", fontsize=11)
    marks = [figure.axes[0].plot([], [], linestyle="", color=color, marker=marker)[0] for color, marker in styles.values()]
    figure.legend(marks, list(styles), loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(shorten(run.machine.cpu), x=0.01, ha="left", fontsize=10)
    return figure


def _points(axes: Axes, pairs: Sequence[Pair], rows: Sequence[float], color: str, marker: str) -> None:
    """Efficiencies with their intervals."""
    middle, low, high = ([100 * pair.speedup[end] * pair.efficiency / pair.speedup[0] for pair in pairs] for end in range(3))
    reach = [
        [here - below for here, below in zip(middle, low, strict=True)],
        [up - here for here, up in zip(middle, high, strict=True)],
    ]
    axes.errorbar(middle, rows, xerr=reach, linestyle="", color=color, marker=marker, capsize=3)
    tip(axes, middle, rows, [f"{named(pair.several)}, {by(pair.several)}: {within(pair.speedup)} times one" for pair in pairs])


def paying(fitted: Sequence[Fit]) -> Figure:
    """The batch from which R ranks pay over R, a panel for each shape: filled marks were measured, lines are reckoned."""
    shapes = list(dict.fromkeys(shape for fit in fitted for shape in fit.loops))
    figure = Figure(figsize=(4.2 * len(shapes), 4.8), layout="constrained")
    styles = iter(CYCLE)
    lines = {(fit.transport, network): next(styles) for fit in fitted for network in (None, *NETWORKS)}
    for axes, shape in zip(figure.subplots(1, len(shapes), sharey=True, squeeze=False)[0], shapes, strict=True):
        for fit in fitted:
            for network in (None, *NETWORKS) if shape in fit.loops else ():
                paid = {ranks: fit.pays_from(shape, ranks, network) for ranks in REACH}
                paid = {ranks: batch for ranks, batch in paid.items() if batch < inf}
                color, marker = lines[fit.transport, network]
                where = network.name + ", put in" if network else "this machine"
                label = f"{fit.transport}, {where}"
                axes.loglog(list(paid), list(paid.values()), "--" if network else ":", color=color, label=label)
                seen = [(ranks, batch) for ranks, batch in paid.items() if not network and ranks <= fit.ranks]
                axes.plot(*zip(*seen, strict=True), linestyle="", color=color, marker=marker) if seen else None
                told = [f"{ranks:,} ranks: from batch {batch:,.0f}" for ranks, batch in paid.items()]
                tip(axes, paid, paid.values(), told)
        axes.set_xlabel("ranks")
        axes.set_title(f"d x k = {shape}", loc="left", fontsize=11)
    figure.axes[0].set_ylabel("batch from which they pay")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    figure.suptitle("Marks: measured here. Lines: reckoned by the model.", x=0.01, ha="left", fontsize=10)
    return figure
