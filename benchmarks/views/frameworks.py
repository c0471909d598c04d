"""The frameworks side by side: three columns of products and of epochs, what a step costs, and what was installed."""

from __future__ import annotations

import numpy as np
from rich.table import Table

from benchmarks.frameworks.columns import Columns, Trained
from benchmarks.harness.records import Run
from minisgd.common.terminal import table
from minisgd.common.units import digits, seconds
from minisgd.experiments.overhead import fit

NONE = ""


def products(found: Columns) -> Table:
    """A row a framework and rung of the textbook's, in GFLOPS."""
    made = table("framework", " rung", "published", "its way, here", "measured", title="Products of 256 x 256, float32, GFLOPS")
    for row in found.products:
        measured = "failed" if row.failure else _or_none(row.measured)
        made.add_row(row.framework, row.rung, _or_none(row.published), _or_none(row.its_way), measured)
    return made


def training(found: Columns) -> Table:
    """A row a framework and run of the textbook's: loss and seconds an epoch."""
    made = table("framework", " run", "published", "", "its way, here", "", "measured", "", title="Loss, and time an epoch")
    for row in found.training:
        if row.step:
            made.add_row(row.framework, row.run, *_pair(row.published), *_pair(row.its_way), *_measured(row))
    return made


def overhead(run: Run) -> Table:
    """A row a step: its time by batch size, and t0 of time = t0 + flops / rate."""
    epochs = [each for each in run.records if each.workload == "sgd" and each.median_s]
    batches = sorted({each.shape["batch"] for each in epochs})
    made = table(
        "step", *(f"batch {batch}" for batch in batches), "t0", title="Time a step, and what it costs before it computes"
    )
    for name in dict.fromkeys(each.kernel for each in epochs):
        mine = sorted((each for each in epochs if each.kernel == name), key=lambda each: each.shape["batch"])
        counts = [-(-each.shape["n"] // each.shape["batch"]) for each in mine]
        times = [(each.median_s or 0) / count for each, count in zip(mine, counts, strict=True)]
        work = [(each.flops or 0) / count for each, count in zip(mine, counts, strict=True)]
        start, _ = fit(np.array(work), np.array(times))
        spent = {each.shape["batch"]: seconds(time) for each, time in zip(mine, times, strict=True)}
        made.add_row(name, *(spent.get(batch, NONE) for batch in batches), seconds(start))
    return made


def environments(found: Columns) -> Table:
    """A row a framework: where it came from."""
    made = table("framework", "MB", "made in", " of")
    for each in found.environments:
        versions = ", ".join(f"{name} {each.versions[name]}" for name in MAIN if name in each.versions)
        size, took = (f"{each.megabytes:.0f}" if each.megabytes else NONE), (seconds(each.seconds) if each.seconds else NONE)
        made.add_row(each.name, size, took, each.reason or versions or "this interpreter")
    return made


MAIN = ("mxnet", "tensorflow-cpu", "keras", "jax", "optax", "numpy")
"""Distributions worth a word."""


def _or_none(gflops: float | None) -> str:
    return NONE if gflops is None else f"{gflops:.3f}" if gflops < 1 else digits(gflops)


def _pair(found: tuple[float, float] | None) -> tuple[str, str]:
    return (f"{found[0]:.3f}", seconds(found[1])) if found else (NONE, NONE)


def _measured(row: Trained) -> tuple[str, str]:
    return NONE if row.loss is None else f"{row.loss:.3f}", NONE if row.seconds is None else seconds(row.seconds)
