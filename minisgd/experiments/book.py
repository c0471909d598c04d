"""The chapter's own experiment: gd, sgd and minibatches with its settings, loss and seconds an epoch beside the book's.

Loss and seconds are measured apart. Given the same order every step follows the same trajectory (see `minisgd.steps`), so the
fused step's losses are those of all. Like the book's they are taken every 200 examples, off the clock; where a batch is larger,
at its end. But an epoch that pauses is several calls, which cost more than a fused epoch does. So seconds an epoch are those of
epochs that do not pause, on one thread, and a loss stands at the seconds that its examples take at that pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from minisgd import published as book
from minisgd.common.intervals import Interval, median_interval, ratio_interval
from minisgd.common.pictures import series, tip
from minisgd.common.plates import GREY, SMALL, Label, Panel, Plate, colors, plain
from minisgd.common.units import duration, seconds, within
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding, spans
from minisgd.experiments.timing import ROUNDS, epoch_seconds
from minisgd.published import Printed
from minisgd.train import Settings, train

TAB = "PyTorch"
EVERY = 200
"""Examples between evaluations."""

SIDE = (4.4, 3.5)
"""Inches of a panel."""

SCALE = (0.22, 0.35)
"""Of losses, in the book's figure."""

STEPS = ("numba-fused", "torch")
"""In the order of a run's seconds an epoch; the second is torch's own way of that run."""


@dataclass(frozen=True)
class Repeated:
    """One of the book's runs, over the rounds.

    Parameters
    ----------
    printed : Printed
    batch : int
        That of gd is all examples, however many the problem has.
    examples : list of int
        Seen at each evaluation.
    losses : list of list of float
        Of each round, at each evaluation.
    fused, framework : list of float
        Seconds an epoch of each round, by the fused step and by the framework's.
    """

    printed: Printed
    batch: int
    examples: list[int] = field(default_factory=list)
    losses: list[list[float]] = field(default_factory=list)
    fused: list[float] = field(default_factory=list)
    framework: list[float] = field(default_factory=list)

    @property
    def framework_step(self) -> str:
        """The framework's step that the book has for this run."""
        return "torch-concise" if self.printed.name == "concise" else "torch"

    @property
    def end(self) -> Interval:
        """Loss at the end."""
        return median_interval([each[-1] for each in self.losses])

    def repeat(self, problem: Problem, seed: int) -> None:
        """Train once more for the losses, and for each step's seconds."""
        settings = Settings("numba-fused", self.batch, self.printed.rate, self.printed.epochs, seed=seed)
        points = train(problem, settings, evaluate_every=EVERY).points
        self.examples[:] = [point.examples for point in points]
        self.losses.append([point.loss for point in points])
        self.fused.append(epoch_seconds(problem, "numba-fused", self.batch, seed))
        self.framework.append(epoch_seconds(problem, self.framework_step, self.batch, seed))

    def kept(self) -> dict[str, Any]:
        """What the picture and programs need: at each evaluation the median loss and its interval; the seconds with theirs."""
        losses = [median_interval(each) for each in zip(*self.losses, strict=True)]
        return {
            "name": self.printed.name,
            "batch": self.batch,
            "rate": self.printed.rate,
            "examples": self.examples,
            "losses": [middle for middle, *_ in losses],
            "losses_interval": [ends for _, *ends in losses],
            "end": self.end,
            "seconds_an_epoch": {
                "numba-fused": median_interval(self.fused),
                self.framework_step: median_interval(self.framework),
            },
        }


COLUMNS: dict[str, Callable[[Repeated], str]] = {
    "run": lambda each: each.printed.name,
    "batch": lambda each: str(each.batch),
    "rate": lambda each: f"{each.printed.rate:g}",
    "loss": lambda each: within(each.end, "{:.4f}".format),
    "book's loss": lambda each: f"{each.printed.tabs[TAB][0]:.3f}",
    "fused/epoch": lambda each: within(median_interval(each.fused), seconds),
    "torch/epoch": lambda each: within(median_interval(each.framework), seconds),
    "book's epoch": lambda each: seconds(each.printed.tabs[TAB][1]),
    "torch/fused": lambda each: within(ratio_interval(each.framework, each.fused)),
}
"""Of the table: heading and cell."""


def run(problem: Problem, advance: Advance) -> Finding:
    """Train each of the book's runs and time it, in rounds of different visiting orders."""
    n = len(problem.x)
    runs = [Repeated(printed, n if printed.name == "gd" else printed.batch_size) for printed in book.RUNS]
    for seed in range(ROUNDS):
        advance(f"round {seed + 1}")
        for each in runs[:: (-1) ** seed]:  # there and back, so that none always comes first
            each.repeat(problem, seed)
    gd, sgd = (next(each for each in runs if each.printed.name == name) for name in ("gd", "sgd"))
    framework, fused = ratio_interval(sgd.framework, gd.framework), ratio_interval(sgd.fused, gd.fused)
    sentences = [
        f"An epoch of single examples takes torch {within(framework)} times as long as one of a single batch; without torch's"
        f" overhead, numba-fused, it takes {within(fused)} times as long."
    ]
    known = problem.name == "airfoil"  # the book ran no other data
    if known:
        ends = (f"{each.printed.name} {each.end[0]:.3f} (the book's {each.printed.tabs[TAB][0]:.3f})" for each in runs)
        sentences.append(f"Losses at the end: {', '.join(ends)}.")
    headings = tuple(heading for heading in COLUMNS if known or not heading.startswith("book's"))
    data = {"problem": problem.name, "n": n, "floor": problem.floor, "runs": [each.kept() for each in runs]}
    return Finding(
        title=f"The chapter's settings on {problem.name}: medians of {ROUNDS} rounds, and their intervals",
        headings=headings,
        rows=[tuple(COLUMNS[heading](each) for heading in headings) for each in runs],
        sentences=sentences,
        figure=draw(data).figure(),
        data=data,
    )


def draw(data: dict[str, Any]) -> Plate:
    """Losses on the book's scale: against examples, and against seconds by our step and by the framework's."""
    examples = {run["name"]: run["examples"][1:] for run in data["runs"]}  # a log axis has no place for nothing seen
    panels = [Panel(partial(_losses, data=data, x_of={n: spans(x, None) for n, x in examples.items()}, step=""), SIDE)]
    for place, step in enumerate(STEPS):
        paces = {run["name"]: list(run["seconds_an_epoch"].values())[place] for run in data["runs"]}
        spent = {name: [[pace * seen / data["n"] for pace in paces[name]] for seen in x] for name, x in examples.items()}
        panels.append(Panel(partial(_losses, data=data, x_of=spent, step=step), SIDE))
    return Plate(panels, f"Gradient descent, SGD and minibatches on {data.get('problem', 'the data')}", 3)


def _losses(axes: Axes, data: dict[str, Any], x_of: Mapping[str, Sequence[Sequence[float]]], step: str) -> list[Label]:
    """One line a run with the interval of its losses as a band, and that of its time across the last point."""
    low, top = _scale(data)
    write = duration if step else "{:,.0f}".format
    styles, labels = colors([run["name"] for run in data["runs"]]), []
    for run in data["runs"]:
        name, x, y = run["name"], [middle for middle, *_ in x_of[run["name"]]], run["losses"][1:]
        color, marker = styles[name]
        axes.plot(x, y, color=color, marker=marker, markersize=3.5, linewidth=1.2, gid=series(name))
        _, lows, highs = zip(*spans(run["losses"], run.get("losses_interval")), strict=True)
        axes.fill_between(x, lows[1:], highs[1:], color=color, alpha=0.15, linewidth=0, gid=series(name))
        _, least, most = x_of[name][-1]
        axes.hlines(y[-1], least, most, color=color, linewidth=2.5, gid=series(name))
        seen = [(one, other) for one, other in zip(x, y, strict=True) if other <= top]
        told = [f"{name}: {other:.4f} after {write(one)}{' examples' * (not step)}" for one, other in seen]
        tip(axes, [one for one, _ in seen], [other for _, other in seen], told)
        labels.append(Label(*seen[0], name, color, name))  # where the lines lie furthest apart
    if data["floor"]:
        axes.axhline(data["floor"], color=GREY, linewidth=0.8, linestyle="--")
        axes.annotate(f"the least loss: {data['floor']:.4f}", (0, data["floor"]), (3, -3), xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points", va="top", color=GREY, fontsize=SMALL)  # fmt: skip
    axes.margins(x=0.15)
    axes.set(xscale="log", ylim=(low, top), ylabel="loss", xlabel="time of training" if step else "examples seen")
    plain(axes, "x", write=write)
    axes.set_title(f"by time, {step}" if step else "by examples", loc="left", fontsize=10)
    return labels


def _scale(data: dict[str, Any]) -> tuple[float, float]:
    """The book's scale where the losses at the end are on it, else theirs."""
    low, high = SCALE
    if all(low < run["losses"][-1] < high for run in data["runs"]):
        return SCALE
    first = max(max(run["losses"][1:]) for run in data["runs"])
    least = min(min(run["losses"]) for run in data["runs"])
    return least - 0.1 * (first - least), first
