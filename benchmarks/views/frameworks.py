"""The frameworks side by side: three columns of products and of epochs, what a step costs, and what was installed."""

from __future__ import annotations

from benchmarks.frameworks import columns
from benchmarks.frameworks.columns import Columns, Pace
from benchmarks.harness.records import Run
from minisgd.common.tables.description import Cell, Column, Table, words

FRAMEWORK = words("framework")
MAIN = ("mxnet", "tensorflow-cpu", "keras", "jax", "optax", "numpy")
"""Distributions whose versions are shown."""


def products(found: Columns) -> Table:
    """A row a framework and rung of the textbook's."""
    headings = [
        FRAMEWORK, words("rung"), Column("published", "GFLOPS", help="what the textbook prints"),
        Column("its way, here", "GFLOPS", help="its cells on this machine: one shot each, and 0.03 GFLOP a product"),
        Column("once more", "GFLOPS", help="the same cells, run again in the same process"),
        Column("measured", "GFLOPS", help="warmed, waited for, checked; the median of the rounds"),
    ]  # fmt: skip
    made = Table(headings, "Products of 256 x 256 in float32, GFLOPS")
    for row in found.products:
        measured = Cell(None, "failed", "bad") if row.failure else row.measured
        made.add(row.framework, row.rung, _printed(row.published), row.its_way, row.again, measured)
    return made


def training(found: Columns) -> Table:
    """A row a framework and run of the textbook's: loss and seconds an epoch."""
    loads = Column("loading", "s", help="the batches of an epoch by its data loader, alone")
    published, its_way, measured = (
        (Column(f"{name}: loss"), Column("an epoch", "s")) for name in ("published", "its way, here", "measured")
    )
    made = Table([FRAMEWORK, words("run"), *published, *its_way, loads, *measured], "Loss at the end, and time an epoch")
    for row in found.training:
        if row.step:
            (first, epoch), (loss, here) = row.published or (None, None), row.its_way or (None, None)
            made.add(row.framework, row.run, _loss(first), epoch, _loss(loss), here, row.loading, _loss(row.loss), row.seconds)
    return made


def overhead(run: Run) -> Table:
    """The `paces` of a run."""
    return paces(columns.paces(run))


def paces(found: list[Pace]) -> Table:
    """A row a step: its time by batch size, and t0 of time = t0 + flops / rate."""
    batches = sorted({batch for each in found for batch in each.seconds})
    t0 = Column("t0", "s", help="what a step costs before it computes, by the fit of t0 + flops / rate")
    made = Table([words("step"), *(Column(f"batch {batch}", "s") for batch in batches), t0], "Time a step")
    for each in found:
        made.add(each.step, *(each.seconds.get(batch) for batch in batches), each.start_s)
    return made


def environments(found: Columns) -> Table:
    """A row a framework: where it came from."""
    made = Table([FRAMEWORK, Column("disk", "B"), Column("made in", "s"), words("of")], "Environments")
    for each in found.environments:
        versions = ", ".join(f"{name} {each.versions[name]}" for name in MAIN if name in each.versions)
        size = each.megabytes and each.megabytes * 1e6
        made.add(each.name, size, each.seconds, each.reason or versions or "this interpreter")
    return made


def _printed(value: float | None) -> Cell:
    """With three places below one, as the textbook has it."""
    return Cell(value, f"{value:.3f}" if value is not None and value < 1 else None)


def _loss(value: float | None) -> Cell:
    return Cell(value, None if value is None else f"{value:.3f}")
