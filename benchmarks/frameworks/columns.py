"""The three columns: the textbook's figures, its code timed in its way on this machine, and timed as it should be.

The third is the run's: warmed, waited for, checked, the median of rounds. Losses in it are of the step's own training from zero
weights, seconds those of epochs without evaluation.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from benchmarks.frameworks import chapter
from benchmarks.frameworks.table import FRAMEWORKS, Framework
from benchmarks.harness.fields import Model, Name, Quantity, Sum
from benchmarks.harness.records import Record, Run
from minisgd import published
from minisgd.published import RUNS, Printed


class Made(Model):
    """A framework's environment, or why there is none."""

    name: Name
    versions: dict[str, str] = Field(default_factory=dict)
    megabytes: Sum | None = None
    seconds: Sum | None = Field(default=None, description="that it took to make, once")
    reason: Name | None = None


class Product(Model):
    """A product of 256 x 256 in float32, in GFLOPS; those of the textbook's way with its 0.03."""

    framework: Name
    rung: Name
    published: Sum | None = None
    its_way: Sum | None = None
    measured: Quantity | None = None
    kernel: Name | None = None
    failure: Name | None = None


class Trained(Model):
    """A run of the textbook's: loss at the end, and seconds an epoch."""

    framework: Name
    run: Name
    published: tuple[Sum, Sum] | None = None
    its_way: tuple[Sum, Sum] | None = None
    loss: Sum | None = None
    seconds: Quantity | None = None
    step: Name | None = None


class Curve(Model):
    """Mean loss against the examples seen; seconds follow from those of an epoch."""

    framework: Name
    run: Name
    examples: list[int]
    losses: list[Sum]


class Columns(Model):
    """What `python -m benchmarks frameworks` found beside its run."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    environments: list[Made]
    products: list[Product]
    training: list[Trained]
    curves: list[Curve]

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


Timed = tuple[dict[str, float], dict[str, tuple[float, float]]]
"""GFLOPS by rung, and loss and seconds an epoch by run, as `benchmarks.frameworks.chapter` times them."""

ItsWay = dict[str, Timed]
"""By framework."""


def products(run: Run, its_way: ItsWay, names: list[str]) -> list[Product]:
    """A row for each framework and rung of the textbook's; the fastest of a framework's backends has the third column."""
    rows = []
    for framework in map(FRAMEWORKS.__getitem__, names):
        for rung in chapter.RUNGS:
            found = [each for each in run.records if each.workload == "gemm" and each.rung == rung]
            mine = [each for each in found if each.backend == framework.backends[0]]
            best = max(mine, key=lambda each: each.gflops or 0, default=None)
            rows.append(
                Product(
                    framework=framework.name, rung=rung,
                    published=published.GFLOPS[framework.tab].get(rung) if framework.tab else None,
                    its_way=its_way.get(framework.name, ({}, {}))[0].get(rung),
                    measured=best and best.gflops, kernel=best and best.kernel, failure=best and best.failure,
                )
            )  # fmt: skip
    return rows


def training(run: Run, its_way: ItsWay, losses: dict[tuple[str, str], float], names: list[str]) -> list[Trained]:
    """A row for each framework and run of the textbook's."""
    rows = []
    for framework in map(FRAMEWORKS.__getitem__, names):
        for printed in RUNS:
            step = step_of(framework, printed)
            record = _epoch(run, step, printed.batch_size) if step else None
            rows.append(
                Trained(
                    framework=framework.name, run=printed.name, step=step,
                    published=printed.tabs.get(framework.tab or ""),
                    its_way=its_way.get(framework.name, ({}, {}))[1].get(printed.name),
                    loss=losses.get((framework.name, printed.name)), seconds=record and record.median_s,
                )
            )  # fmt: skip
    return rows


def step_of(framework: Framework, printed: Printed) -> str | None:
    """The framework's step for a run."""
    return framework.concise if printed.name == "concise" else framework.step


def _epoch(run: Run, step: str, batch: int) -> Record | None:
    return next((each for each in run.records if each.kernel == step and each.shape.get("batch") == batch), None)
