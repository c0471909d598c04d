"""The frameworks side by side: three columns of products and of epochs, what a step costs, and what was installed."""

from __future__ import annotations

import numpy as np

from benchmarks.frameworks.columns import Columns
from benchmarks.harness.records import Run
from minisgd.common.tables.description import Cell, Column, Table, words
from minisgd.experiments.overhead import fit

FRAMEWORK = words("framework")
MAIN = ("mxnet", "tensorflow-cpu", "keras", "jax", "optax", "numpy")
"""Distributions whose versions are shown."""


def products(found: Columns) -> Table:
    """A row a framework and rung of the textbook's."""
    columns = [
        FRAMEWORK, words("rung"), Column("published", "GFLOPS", help="what the textbook prints"),
        Column("its way, here", "GFLOPS", help="its cells on this machine: one shot each, and 0.03 GFLOP a product"),
        Column("measured", "GFLOPS", help="warmed, waited for, checked; the median of the rounds"),
    ]  # fmt: skip
    made = Table(columns, "Products of 256 x 256 in float32, GFLOPS")
    for row in found.products:
        measured = Cell(None, "failed", "bad") if row.failure else _gflops(row.measured)
        made.add(row.framework, row.rung, _gflops(row.published), _gflops(row.its_way), measured)
    return made


def training(found: Columns) -> Table:
    """A row a framework and run of the textbook's: loss and seconds an epoch."""
    pairs = [
        column
        for name in ("published", "its way, here", "measured")
        for column in (Column(f"{name}: loss"), Column("an epoch", "s"))
    ]
    made = Table([FRAMEWORK, words("run"), *pairs], "Loss at the end, and time an epoch")
    for row in found.training:
        if row.step:
            pairs_of = [row.published or (None, None), row.its_way or (None, None), (row.loss, row.seconds)]
            made.add(row.framework, row.run, *(cell for loss, epoch in pairs_of for cell in (_loss(loss), epoch)))
    return made


def overhead(run: Run) -> Table:
    """A row a step: its time by batch size, and t0 of time = t0 + flops / rate."""
    epochs = [each for each in run.records if each.workload == "sgd" and each.median_s]
    batches = sorted({each.shape["batch"] for each in epochs})
    t0 = Column("t0", "s", help="what a step costs before it computes, by the fit of t0 + flops / rate")
    made = Table([words("step"), *(Column(f"batch {batch}", "s") for batch in batches), t0], "Time a step")
    for name in dict.fromkeys(each.kernel for each in epochs):
        mine = [each for each in epochs if each.kernel == name]
        steps = {each: -(-each.shape["n"] // each.shape["batch"]) for each in mine}
        spent = {each.shape["batch"]: (each.median_s or 0) / count for each, count in steps.items()}
        work = np.array([(each.flops or 0) / count for each, count in steps.items()])
        start, _ = fit(work, np.array(list(spent.values())))
        made.add(name, *(spent.get(batch) for batch in batches), start)
    return made


def environments(found: Columns) -> Table:
    """A row a framework: where it came from."""
    made = Table([FRAMEWORK, Column("disk", "B"), Column("made in", "s"), words("of")], "Environments")
    for each in found.environments:
        versions = ", ".join(f"{name} {each.versions[name]}" for name in MAIN if name in each.versions)
        size = each.megabytes and each.megabytes * 1e6
        made.add(each.name, size, each.seconds, each.reason or versions or "this interpreter")
    return made


def _gflops(value: float | None) -> Cell:
    """Three places below one, as the textbook has them."""
    return Cell(value, f"{value:.3f}" if value is not None and value < 1 else None)


def _loss(value: float | None) -> Cell:
    return Cell(value, None if value is None else f"{value:.3f}")
