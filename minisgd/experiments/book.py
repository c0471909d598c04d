"""The chapter's own experiment: gd, sgd and minibatches with its settings, loss and seconds an epoch beside the book's.

Loss and seconds are measured apart. Given the same order every step follows the same trajectory (see `minisgd.steps`), so the
fused step's losses are those of all. Like the book's they are taken every 200 examples, off the clock; where a batch is larger,
at its end. But an epoch that pauses is several calls, which cost more than a fused epoch does. So seconds an epoch are those of
epochs that do not pause, on one thread, and a loss stands at the seconds that its examples take at that pace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from minisgd import published as book
from minisgd.common.intervals import Interval, median_interval, ratio_interval
from minisgd.common.pictures import CYCLE, tip
from minisgd.common.units import seconds, within
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding
from minisgd.experiments.timing import ROUNDS, epoch_seconds
from minisgd.published import Printed
from minisgd.train import Settings, train

TAB = "PyTorch"
EVERY = 200
"""Examples between evaluations."""


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
        """What the picture and programs need: at each evaluation the median loss, and of the seconds the interval too."""
        return {
            "name": self.printed.name,
            "batch": self.batch,
            "rate": self.printed.rate,
            "examples": self.examples,
            "losses": [median(each) for each in zip(*self.losses, strict=True)],
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
        f"One example at a time costs the framework {within(framework)} times as much an epoch as full batches;"
        f" without its overhead it is {within(fused)} times."
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
        figure=draw(data),
        data=data,
    )


def draw(data: dict[str, Any]) -> Figure:
    """Loss against examples, and against seconds by either step; above the least loss, if that is known."""
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    by_examples, by_seconds = figure.subplots(1, 2, sharey=True)
    floor = data["floor"] or 0.0
    for (color, marker), run in zip(CYCLE, data["runs"], strict=False):
        style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.2}
        name, examples, losses = run["name"], run["examples"], run["losses"]
        above = [loss - floor for loss in losses]
        by_examples.plot(examples, above, label=name, **style)
        tip(
            by_examples, examples, above, [f"{name}: {y:.4f} after {x:,} examples" for x, y in zip(examples, losses, strict=True)]
        )
        for (step, (pace, *_)), line in zip(run["seconds_an_epoch"].items(), ("-", ":"), strict=True):
            spent = [pace * seen / data["n"] for seen in examples[1:]]  # a log axis has no place for zero
            by_seconds.plot(spent, above[1:], linestyle=line, **style)
            told = [f"{name}, {step}: {y:.4f} after {seconds(x)}" for x, y in zip(spent, losses[1:], strict=True)]
            tip(by_seconds, spent, above[1:], told)
    by_examples.set_xscale("symlog", linthresh=EVERY, linscale=0.3)
    ticks = sorted({0, EVERY, data["n"], *(run["examples"][-1] for run in data["runs"])})
    by_examples.set_xticks(ticks, [f"{tick:,}" for tick in ticks], minor=False)
    by_examples.set_yscale("log")
    by_examples.set(xlabel="examples seen", ylabel=f"loss above the least, {floor:.4f}" if floor else "loss")
    by_examples.set_title(f"Gradient descent, SGD and minibatches on {data['problem']}", loc="left", fontsize=11)
    by_examples.legend(fontsize=9)
    by_seconds.set_xscale("log")
    by_seconds.set_xlabel("seconds of training; numba-fused solid, torch dotted")
    return figure
