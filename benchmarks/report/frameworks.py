"""The section on frameworks: the three columns, what a step costs in each, and loss against examples and seconds."""

from __future__ import annotations

from matplotlib.figure import Figure

from benchmarks.frameworks import sentences
from benchmarks.frameworks.columns import Columns
from benchmarks.harness.records import Run
from benchmarks.report.section import Section
from benchmarks.views import frameworks as views
from minisgd.common.pictures import CYCLE, tip
from minisgd.common.units import seconds

RUN, N = "batch 10", 1500
"""The run of the textbook's whose losses are drawn, and the examples in an epoch of it."""


def section(found: Columns, run: Run | None) -> Section:
    """The frameworks side by side; `run` has the records that the columns were made from, if it is on the page too."""
    made = Section("frameworks", "Frameworks", "python -m benchmarks frameworks --preset d2l")
    made.sentences += sentences.said(found)
    if any(curve.run == RUN for curve in found.curves):
        made.draw(
            losses(found), f"Loss of {RUN} against examples, where all frameworks agree, and against seconds, where they do not."
        )
    made.tables += [views.products(found), views.training(found)]
    if run:
        made.tables.append(views.overhead(run))
    made.tables.append(views.environments(found))
    return made


def losses(found: Columns) -> Figure:
    """Loss against examples seen, and against seconds at the measured pace of an epoch."""
    pace = {(row.framework, row.run): row.seconds for row in found.training}
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    by_examples, by_seconds = figure.subplots(1, 2, sharey=True)
    for (color, marker), curve in zip(CYCLE, (each for each in found.curves if each.run == RUN), strict=False):
        style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.2}
        by_examples.plot(curve.examples, curve.losses, label=curve.framework, **style)
        if epoch := pace.get((curve.framework, curve.run)):
            spent = [epoch * seen / N for seen in curve.examples[1:]]  # a log axis has no place for zero
            by_seconds.plot(spent, curve.losses[1:], **style)
            told = [f"{curve.framework}: {y:.4f} after {seconds(x)}" for x, y in zip(spent, curve.losses[1:], strict=True)]
            tip(by_seconds, spent, curve.losses[1:], told)
    by_examples.set(xlabel="examples seen", ylabel="loss")
    by_seconds.set_xscale("log")
    by_seconds.set_xlabel("seconds of training")
    by_examples.legend(fontsize=9)
    return figure
