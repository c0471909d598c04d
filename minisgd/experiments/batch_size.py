"""Batch size from 1 to n: an epoch gets cheaper and the number of epochs grows; their product has its least between."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from matplotlib.axes import Axes

from minisgd.common.cli import UsageError
from minisgd.common.intervals import Interval, median_interval, ratio_interval
from minisgd.common.pictures import CYCLE
from minisgd.common.plates import INK, Label, Panel, Plate, curve, plain
from minisgd.common.units import digits, duration, seconds, within
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding, spans
from minisgd.experiments.timing import ROUNDS, epoch_seconds
from minisgd.steps import flops
from minisgd.train import Diverged, History, Settings, train

STEP = "numba-fused"
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1500)
WITHIN = 1.01
"""The target: a loss within 1 % of the floor, looked for after each epoch."""

RATES = tuple(round(2.0**-power, 6) for power in range(13))
EPOCHS = 60
SEEDS = 5

SIDE = (4.4, 3.5)
"""Inches of a panel."""


@dataclass(frozen=True)
class Tuned:
    """A batch size at its best rate: epochs to the target, infinite if none gets there; seconds an epoch, of each round."""

    size: int
    rate: float
    epochs: float
    times: list[float] = field(default_factory=list)

    @property
    def epoch_s(self) -> Interval:
        """Seconds an epoch."""
        return median_interval(self.times)

    @property
    def seconds(self) -> Interval:
        """To the target."""
        middle, low, high = self.epoch_s
        return self.epochs * middle, self.epochs * low, self.epochs * high

    @property
    def reached(self) -> bool:
        """Whether the target is reached at any rate."""
        return self.epochs < math.inf


def run(problem: Problem, advance: Advance) -> Finding:
    """Tune the learning rate for each batch size; time an epoch, count epochs and seconds to the target."""
    if problem.floor is None:
        raise UsageError(f"{problem.name}: the experiment needs a problem whose least loss is known; try airfoil or linear")
    n, d = problem.x.shape
    found = []
    for size in sorted({min(size, n) for size in SIZES}):
        advance(f"batch size {size}")
        needed = {rate: _epochs_to_target(problem, size, rate) for rate in RATES}
        rate = min(RATES, key=needed.__getitem__)
        found.append(Tuned(size, rate, needed[rate]))
    advance("seconds an epoch")
    for seed in range(ROUNDS):
        for each in found[:: (-1) ** seed]:  # there and back, so that none always comes first
            each.times.append(epoch_seconds(problem, STEP, each.size, seed))
    rows = [
        (
            str(each.size),
            within(each.epoch_s, seconds),
            digits(n / each.epoch_s[0] / 1e6),
            digits(flops(n, d, 1, each.size) / each.epoch_s[0] / 1e9),
            *((f"{each.rate:g}", f"{each.epochs:g}", within(each.seconds, seconds)) if each.reached else ("", "never", "")),
        )
        for each in found
    ]
    data = {
        "problem": problem.name,
        "rows": [[each.size, each.epoch_s[0], each.rate, each.epochs if each.reached else None] for each in found],
        "epoch_interval": [each.epoch_s[1:] for each in found],
    }
    return Finding(
        title=f"Seconds until the loss is within 1 % of the floor {problem.floor:.6f}, {STEP} on {problem.name}",
        headings=("batch", "epoch", "M examples/s", "GFLOPS", "best rate", "epochs to 1 %", "time to 1 %"),
        rows=rows,
        sentences=sentences(found, problem.name),
        figure=draw(data).figure(),
        data=data,
    )


def sentences(found: Sequence[Tuned], problem: str) -> list[str]:
    """Which batch size is first, which others may be, and how epochs and their number change from the least to the largest."""
    one, full, said = found[0], found[-1], []
    if reached := [each for each in found if each.reached]:
        first = min(reached, key=lambda each: each.seconds)
        said.append(
            f"Batches of {first.size} come within 1 % of the least loss of {problem} first, in {within(first.seconds, seconds)},"
            f" at rate {first.rate:g}."
        )
        if equal := [str(each.size) for each in reached if each is not first and _may_be_as_soon(each, first)]:
            said.append(f"The rounds do not tell them from batches of {', '.join(equal)}.")
    said.append(
        f"From batch {one.size} to {full.size} an epoch gets {within(ratio_interval(one.times, full.times))} times cheaper."
    )
    if one.reached and full.reached:
        said.append(f"Batch {full.size} needs {full.epochs / one.epochs:.1f} times as many epochs as batch {one.size}.")
    return said


def _may_be_as_soon(other: Tuned, first: Tuned) -> bool:
    """Whether the interval of the ratio of their seconds, taken in each round, reaches down to 1."""
    return other.epochs / first.epochs * ratio_interval(other.times, first.times)[1] <= 1


class _Reached(Exception):
    """The target is reached; there is no need to train on."""


def _epochs_to_target(problem: Problem, size: int, rate: float) -> float:
    """The median over some seeds; infinite if most never reach it."""

    def stop_there(history: History) -> None:
        if history.points[-1].loss <= WITHIN * (problem.floor or 0):
            raise _Reached(len(history.points) - 1)

    needed = []
    for seed in range(SEEDS):
        epochs = math.inf
        try:
            train(problem, Settings(batch_size=size, rate=rate, epochs=EPOCHS, seed=seed), stop_there)
        except _Reached as reached:
            epochs = reached.args[0]
        except Diverged:
            pass
        needed.append(epochs)
    return median(needed)


def draw(data: dict[str, Any]) -> Plate:
    """Over the batch size: what an epoch takes, how many are needed, and their product, the time to the target."""
    rows = data["rows"]
    paces = spans([row[1] for row in rows], data.get("epoch_interval"))
    needed = [(row[0], row[3], pace) for row, pace in zip(rows, paces, strict=True) if row[3]]
    sizes = [row[0] for row in rows]
    return Plate(
        [
            _panel(dict(zip(sizes, paces, strict=True)), "time of an epoch", seconds, duration),
            _panel({size: (epochs,) * 3 for size, epochs, _ in needed}, "epochs until 1 % above the floor", "{:g} epochs".format),
            _panel({size: tuple(epochs * each for each in pace) for size, epochs, pace in needed},
                   "time until then: the product of both", seconds, duration),
        ],
        f"What a batch size costs and brings: {STEP} on {data.get('problem', 'the data')}", 3,
    )  # fmt: skip


Write = Callable[[float], str]


def _panel(found: Mapping[int, Sequence[float]], title: str, say: Write, tick: Write = "{:,.10g}".format) -> Panel:
    """One line over the batch size, its least value named."""

    def draw(axes: Axes) -> list[Label]:
        axes.set(xscale="log", yscale="log", xlabel="batch size")
        axes.set_title(title, loc="left", fontsize=10)
        axes.margins(0.12, 0.2)
        if not found:
            return []
        told = [f"batch {size}: {say(span[0])}" for size, span in found.items()]
        curve(axes, list(found), list(found.values()), STEP, CYCLE[0], told)
        plain(axes, "x", list(found))
        plain(axes, "y", write=tick)
        best = min(found, key=lambda size: found[size][0])
        axes.plot(best, found[best][0], "o", markersize=11, markerfacecolor="none", markeredgecolor=INK)
        return [Label(best, found[best][0], f"least: batch {best}, {say(found[best][0])}")]

    return Panel(draw, SIDE)
