"""Batch size from 1 to n: an epoch gets cheaper and the number of epochs grows; their product has its least between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from matplotlib.figure import Figure

from minisgd.cli import UsageError
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding
from minisgd.steps import flops
from minisgd.train import Diverged, History, Settings, train
from minisgd.views.pictures import CYCLE
from minisgd.views.units import digits, seconds

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1500)
WITHIN = 1.01
"""The target: a loss within 1 % of the floor."""

RATES = tuple(round(2.0**-power, 6) for power in range(13))
EPOCHS = 60
TIMED_EPOCHS = 200
SEEDS = 5


@dataclass(frozen=True)
class Tuned:
    """A batch size at its best learning rate: seconds an epoch, and epochs to the target, infinite if it is never reached."""

    size: int
    epoch_s: float
    rate: float
    epochs: float

    @property
    def seconds(self) -> float:
        """To the target."""
        return self.epochs * self.epoch_s


def run(problem: Problem, advance: Advance) -> Finding:
    """Tune the learning rate for each batch size; time an epoch, count epochs and seconds to the target."""
    if problem.floor is None:
        raise UsageError(f"{problem.name}: the experiment needs a problem whose least loss is known; try airfoil or linear")
    n, d = problem.x.shape
    found = []
    for size in sorted({min(size, n) for size in SIZES}):
        advance(f"batch size {size}")
        timed = Settings(batch_size=size, rate=RATES[-1], epochs=TIMED_EPOCHS)
        epoch = median(train(problem, timed, evaluate_every=TIMED_EPOCHS * n).seconds_an_epoch for _ in range(SEEDS))
        needed = {rate: _epochs_to_target(problem, size, rate) for rate in RATES}
        rate = min(RATES, key=needed.__getitem__)
        found.append(Tuned(size, epoch, rate, needed[rate]))
    rows = [
        (
            str(each.size),
            seconds(each.epoch_s),
            digits(n / each.epoch_s / 1e6),
            digits(flops(n, d, 1, each.size) / each.epoch_s / 1e9),
            *((f"{each.rate:g}", f"{each.epochs:g}", seconds(each.seconds)) if each.epochs < math.inf else ("", "never", "")),
        )
        for each in found
    ]
    winner, one, full = min(found, key=lambda each: each.seconds), found[0], found[-1]
    sentences = [f"From batch {one.size} to {full.size} an epoch gets {one.epoch_s / full.epoch_s:.1f} times cheaper."]
    if winner.epochs < math.inf:
        sentences.insert(0, f"Batch size {winner.size} is first within 1 % of the floor, in {seconds(winner.seconds)}.")
    if one.epochs < math.inf and full.epochs < math.inf:
        sentences.append(
            f"It needs {full.epochs / one.epochs:.1f} times as many: the curves cross where an epoch stops getting cheaper"
            " faster than their number grows."
        )
    return Finding(
        title=f"Seconds until the loss is within 1 % of the floor {problem.floor:.6f}, numba-fused on {problem.name}",
        headings=("batch", "epoch", "M examples/s", "GFLOPS", "best rate", "epochs to 1 %", "time to 1 %"),
        rows=rows,
        sentences=sentences,
        figure=_draw(problem, found),
        data={"rows": [[each.size, each.epoch_s, each.rate, each.epochs if each.epochs < math.inf else None] for each in found]},
    )


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


def _draw(problem: Problem, found: list[Tuned]) -> Figure:
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    reached = [each for each in found if each.epochs < math.inf]
    series = [
        (left, "microseconds an epoch", found, [each.epoch_s * 1e6 for each in found]),
        (left, "epochs to 1 % of the floor", reached, [each.epochs for each in reached]),
        (right, "microseconds until within 1 % of the floor", reached, [each.seconds * 1e6 for each in reached]),
    ]
    for (color, marker), (axes, label, drawn, values) in zip(CYCLE, series, strict=False):
        axes.loglog([each.size for each in drawn], values, color=color, marker=marker, label=label)
        axes.set_xlabel("batch size")
    figure.legend(fontsize=9, loc="outside lower center", ncols=3)
    left.set_title(f"numba-fused on {problem.name}", loc="left", fontsize=11)
    return figure
