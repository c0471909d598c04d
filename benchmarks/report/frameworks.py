"""The section on frameworks: the three columns, what a step costs in each, and loss against examples and seconds."""

from __future__ import annotations

from matplotlib.axes import Axes

from benchmarks.frameworks import sentences
from benchmarks.frameworks.columns import Columns
from benchmarks.harness.records import Run
from benchmarks.report.section import Group, Section
from benchmarks.views import frameworks as views
from minisgd.common.pictures import series, tip
from minisgd.common.plates import Label, Panel, Plate, colors, plain
from minisgd.common.units import duration, seconds

RUN, N = "batch 10", 1500
"""The run of the textbook's whose losses are drawn, and the examples in an epoch of it."""


def section(found: Columns, run: Run | None) -> Section:
    """The frameworks side by side; `run` has the records that the columns were made from, if it is on the page too."""
    made = Section("frameworks", "Frameworks", "python -m benchmarks frameworks --preset d2l")
    ranking = sentences.turned_over(found.products)
    made.sentences += ranking
    if others := sentences.said(found)[len(ranking) :]:
        made.groups.append(Group("The two ways of timing, case by case", others))
    if any(curve.run == RUN for curve in found.curves):
        made.draw(losses(found), f"Loss of {RUN}: by examples, where all frameworks agree, and by time, where they do not.")
    made.tables += [views.products(found), views.training(found)]
    if run:
        made.tables.append(views.overhead(run))
    made.tables.append(views.environments(found))
    return made


def losses(found: Columns) -> Plate:
    """Loss against examples seen, and against time at the measured pace of an epoch; the same axis of losses on both."""
    pace = {(row.framework, row.run): row.seconds for row in found.training}
    curves = [curve for curve in found.curves if curve.run == RUN]
    styles = colors([curve.framework for curve in curves])
    values = [loss for curve in curves for loss in curve.losses[1:]]

    def draw(axes: Axes, by_time: bool) -> list[Label]:
        labels = []
        for curve in curves:
            epoch = pace.get((curve.framework, curve.run))
            if by_time and not epoch:
                continue
            x = [(epoch or 0) * seen / N if by_time else seen for seen in curve.examples[1:]]  # a log axis has no place for zero
            y, (color, marker) = curve.losses[1:], styles[curve.framework]
            axes.plot(x, y, color=color, marker=marker, markersize=4, linewidth=1.2, gid=series(curve.framework))
            told = (seconds(one) if by_time else f"{one:,} examples" for one in x)
            tip(axes, x, y, [f"{curve.framework}: {loss:.4f} after {after}" for loss, after in zip(y, told, strict=True)])
            at = 0 if by_time else -1  # where the curves lie apart; by examples they never do
            labels.append(Label(x[at], y[at], curve.framework, color, curve.framework, edge=not by_time))
        axes.set(
            ylim=(0.98 * min(values), 1.1 * max(values)), xlabel="time of training" if by_time else "examples seen", ylabel="loss"
        )
        if by_time and labels:
            axes.set_xscale("log")
            plain(axes, "x", write=duration)
        axes.set_title("by time" if by_time else "by examples", loc="left", fontsize=10)
        return labels

    return Plate([Panel(lambda axes: draw(axes, False)), Panel(lambda axes: draw(axes, True))])
