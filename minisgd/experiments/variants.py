"""The chapter's exercises: a decaying learning rate, sampling with replacement, and a genie that doubles the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from minisgd.common.intervals import median_interval
from minisgd.common.pictures import CYCLE
from minisgd.common.plates import GREY, Label, Panel, Plate, curve, plain
from minisgd.common.units import digits
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding
from minisgd.train import Settings, train

EPOCHS = 10
SEEDS = 20

LEAST = 1e-7
"""A loss this far above the floor is as good as on it, and a log axis has no place for the floor."""

BESIDE = 0.14
"""Epochs from one line's points to the next one's, so that intervals stand side by side."""

PANELS = {
    "a rate that falls": ("batch 10", "batch 10, rate x 0.1 an epoch", "batch 10, rate / t", "batch 10, rate / root of t"),
    "how examples are drawn": ("batch 10", "batch 10, with replacement", "batch 10, doubled data", "batch 1, doubled data"),
    "gradient descent on doubled data": ("gd", "gd, doubled data"),
}
"""Variants beside each other, by what they show."""


def doubled(problem: Problem) -> Problem:
    """Each observation twice, and nobody told."""
    x, y = np.concatenate([problem.x, problem.x]), np.concatenate([problem.y, problem.y])
    return dataclasses.replace(problem, name=f"{problem.name}, doubled", x=x, y=y)


def run(problem: Problem, advance: Advance) -> Finding:
    """Train every variant with some seeds, and compare with the plain one."""
    n = len(problem.x)
    twice = doubled(problem)
    variants = {
        "batch 10": (problem, Settings(epochs=EPOCHS)),
        "batch 10, rate x 0.1 an epoch": (problem, Settings(epochs=EPOCHS, schedule="decay")),
        "batch 10, rate / t": (problem, Settings(epochs=EPOCHS, schedule="inverse")),
        "batch 10, rate / root of t": (problem, Settings(epochs=EPOCHS, schedule="polynomial")),
        "batch 10, with replacement": (problem, Settings(epochs=EPOCHS, replacement=True)),
        "batch 10, doubled data": (twice, Settings(epochs=EPOCHS)),
        "batch 1, doubled data": (twice, Settings(batch_size=1, rate=0.005, epochs=EPOCHS)),
        "gd": (problem, Settings(batch_size=n, rate=0.5, epochs=EPOCHS)),
        "gd, doubled data": (twice, Settings(batch_size=2 * n, rate=0.5, epochs=EPOCHS)),
    }
    curves: dict[str, np.ndarray] = {}
    for name, (data, settings) in variants.items():
        advance(name)
        trained = [train(data, dataclasses.replace(settings, seed=seed)) for seed in range(SEEDS)]
        curves[name] = np.array([[point.loss for point in history.points] for history in trained])
    rows = []
    for name, losses in curves.items():
        last = losses[:, -1]
        rows.append((name, f"{losses[:, 1].mean():.5f}", f"{last.mean():.5f}", f"{last.std(ddof=1):.5f}"))
    plain, decayed = curves["batch 10"][:, -1], curves["batch 10, rate x 0.1 an epoch"][:, -1]
    drawn = curves["batch 10, with replacement"][:, -1]
    same = np.allclose(curves["gd"], curves["gd, doubled data"], rtol=1e-5)
    lower = "lower" if decayed.mean() < plain.mean() else "higher"
    calmer = plain.std() / max(decayed.std(), 1e-12)
    once, after_two = curves["batch 10, doubled data"][:, 1].mean(), curves["batch 10"][:, 2].mean()
    descent = "follows the same losses at twice the cost an epoch" if same else "changes its losses"
    sentences = [
        f"Over {SEEDS} seeds a rate that falls tenfold each epoch ends {lower} by {abs(plain.mean() - decayed.mean()):.5f}"
        f" and spreads {calmer:.0f} times less.",
        f"With replacement the end differs by {drawn.mean() - plain.mean():+.5f},"
        f" and its spread is {drawn.std() / plain.std():.2f} times that of a permutation.",
        f"On doubled data gradient descent {descent}; batch 10 steps twice as often in an epoch,"
        f" and is at {once:.5f} after one where it was at {after_two:.5f} after two.",
    ]
    kept = {"problem": problem.name, "floor": problem.floor} | {name: losses.tolist() for name, losses in curves.items()}
    return Finding(
        title=f"Exercises of the chapter on {problem.name}, {EPOCHS} epochs, {SEEDS} seeds",
        headings=("variant", "loss after 1", f"after {EPOCHS}", "spread"),
        rows=rows,
        sentences=sentences,
        figure=draw(kept).figure(),
        data=kept,
    )


def draw(data: dict[str, Any]) -> Plate:
    """A panel for each question: after each epoch the median over the seeds with its interval."""
    panels = [Panel(partial(_compared, data=data, title=title, names=names), (4.6, 3.6)) for title, names in PANELS.items()]
    return Plate(panels, f"Variants on {data.get('problem', 'the data')}, {SEEDS} seeds", 3)


def _compared(axes: Axes, data: dict[str, Any], title: str, names: Sequence[str]) -> list[Label]:
    """The first of the names is what the others are compared with, in grey."""
    floor, labels = data.get("floor") or 0.0, []
    looks = [(GREY, "."), *CYCLE]
    for place, ((color, marker), name) in enumerate(zip(looks, names, strict=False)):
        losses = np.maximum(np.array(data[name])[:, 1:] - floor, LEAST)
        found = [median_interval(list(each)) for each in losses.T]
        told = [f"{name}, epoch {epoch}: {digits(middle)} above the floor" for epoch, (middle, *_) in enumerate(found, 1)]
        x = [epoch + BESIDE * (place - (len(names) - 1) / 2) for epoch in range(1, len(found) + 1)]
        curve(axes, x, found, name, (color, marker), told)
        labels.append(Label(x[-1], found[-1][0], name.removeprefix("batch 10, "), color, name, edge=True))
    axes.set(yscale="log", xlabel="epoch", ylabel="loss above the floor" if floor else "loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title, loc="left", fontsize=10)
    plain(axes, "y", write=lambda value: f"{value:.7f}".rstrip("0"))
    return labels
