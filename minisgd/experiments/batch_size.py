"""Batch size from 1 to n: an epoch gets cheaper and the number of epochs grows; their product has its least between."""

from __future__ import annotations

import math
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
SEEDS = 5


def run(problem: Problem, advance: Advance) -> Finding:
    """Tune the learning rate for each batch size; time an epoch, count epochs and seconds to the target."""
    if problem.floor is None:
        raise UsageError(f"{problem.name}: the experiment needs a problem whose least loss is known; try airfoil or linear")
    n, d = problem.x.shape
    sizes = [size for size in SIZES if size < n] + [n]
    found = []
    for size in sizes[: len(SIZES)]:
        advance(f"batch size {size}")
        tuned = [_to_floor(problem, size, rate) for rate in RATES]
        reached = [each for each in tuned if each]
        epoch = median(
            train(problem, Settings(batch_size=size, rate=0.0, epochs=40), evaluate_every=40).seconds_an_epoch for _ in "123"
        )
        best = min(reached, key=lambda each: each[1], default=None)
        found.append((size, epoch, best))
    rows = [
        (
            str(size),
            seconds(epoch),
            digits(n / epoch / 1e6),
            digits(flops(n, d, 1, size) / epoch / 1e9),
            f"{best[0]:g}" if best else "none",
            f"{best[1]:g}" if best else f"over {EPOCHS}",
            seconds(best[1] * epoch) if best else "",
        )
        for size, epoch, best in found
    ]
    winner = min((each for each in found if each[2]), key=lambda each: each[2][1] * each[1])  # type: ignore[index]
    one, full = found[0], found[-1]
    sentences = [
        f"Batch size {winner[0]} is first within 1 % of the floor, in {seconds(winner[2][1] * winner[1])}.",  # type: ignore[index]
        f"From batch 1 to {full[0]} an epoch gets {one[1] / full[1]:.1f} times cheaper"
        + (f", and {full[2][1] / one[2][1]:.0f} times as many are needed" if one[2] and full[2] else "")
        + ": the curves cross where an epoch stops getting cheaper faster than the number of epochs grows.",
    ]
    return Finding(
        title=f"Seconds until the loss is within 1 % of the floor {problem.floor:.6f}, numba-fused on {problem.name}",
        headings=("batch", "epoch", "M examples/s", "GFLOPS", "best rate", "epochs to 1 %", "time to 1 %"),
        rows=rows,
        sentences=sentences,
        figure=_draw(problem, found),
        data={"rows": [[size, epoch, *(best or (None, None))] for size, epoch, best in found]},
    )


class _Reached(Exception):
    """The target is reached; there is no need to train on."""


def _to_floor(problem: Problem, size: int, rate: float) -> tuple[float, float] | None:
    """The rate, and the median number of epochs to the target over some seeds; None if most never reach it."""

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
    middle = median(needed)
    return (rate, middle) if middle < math.inf else None


def _draw(problem: Problem, found: list[tuple[int, float, tuple[float, float] | None]]) -> Figure:
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = [size for size, _, _ in found]
    left.plot(sizes, [epoch * 1e6 for _, epoch, _ in found], color=CYCLE[0][0], marker=CYCLE[0][1], label="microseconds an epoch")
    reached = [(size, epoch, best) for size, epoch, best in found if best]
    counts = [best[1] for _, _, best in reached]
    left.plot([size for size, _, _ in reached], counts, color=CYCLE[1][0], marker=CYCLE[1][1], label="epochs to 1 % of the floor")
    times = [best[1] * epoch * 1e6 for _, epoch, best in reached]
    right.plot([size for size, _, _ in reached], times, color=CYCLE[2][0], marker=CYCLE[2][1])
    right.set_ylabel("microseconds until within 1 % of the floor")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("batch size")
    left.legend(fontsize=9)
    left.set_title(f"numba-fused on {problem.name}", loc="left", fontsize=11)
    return figure
