"""The chapter's own experiment: gd, sgd and minibatches with its settings, loss and seconds an epoch beside the book's."""

from __future__ import annotations

from matplotlib.figure import Figure

from minisgd import book
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding
from minisgd.train import History, Settings, train
from minisgd.views.pictures import CYCLE
from minisgd.views.units import seconds

STEPS = ("numba-fused", "torch")


def run(problem: Problem, advance: Advance) -> Finding:
    """Train each of the book's runs with the fused step and with the framework's."""
    histories: dict[str, list[History]] = {step: [] for step in STEPS}
    for step in STEPS:
        for printed in book.RUNS:
            name = "torch-concise" if printed.name == "concise" and step == "torch" else step
            advance(f"{printed.name}, {name}")
            settings = Settings(name, printed.batch_size, printed.rate, printed.epochs)
            histories[step].append(train(problem, settings))
    rows = []
    for printed, fused, torch in zip(book.RUNS, *histories.values(), strict=True):
        loss, time = printed.tabs["PyTorch"]
        rows.append(
            (
                printed.name,
                str(printed.batch_size),
                f"{printed.rate:g}",
                f"{fused.points[-1].loss:.4f}",
                f"{loss:.3f}",
                seconds(fused.seconds_an_epoch),
                seconds(torch.seconds_an_epoch),
                seconds(time),
                f"{torch.seconds_an_epoch / fused.seconds_an_epoch:,.0f}",
            )
        )
    sgd = [history[1].seconds_an_epoch for history in histories.values()]
    gd = [history[0].seconds_an_epoch for history in histories.values()]
    return Finding(
        title=f"The chapter's settings on {problem.name}; the least loss is {problem.floor:.6f}",
        headings=("run", "batch", "rate", "loss", "book", "fused/epoch", "torch/epoch", "book's", "x"),
        rows=rows,
        sentences=[
            f"One example at a time costs the framework {sgd[1] / gd[1]:,.0f} times as much an epoch as full batches;"
            f" without its overhead it is {sgd[0] / gd[0]:.1f} times.",
        ],
        figure=_draw(problem, histories),
        data={step: [[[p.seconds, p.examples, p.loss] for p in h.points] for h in found] for step, found in histories.items()},
    )


def _draw(problem: Problem, histories: dict[str, list[History]]) -> Figure:
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.subplots()
    for step, found in histories.items():
        for (color, marker), printed, history in zip(CYCLE, book.RUNS, found, strict=False):
            points = history.points[1:]
            (line,) = axes.plot([p.seconds for p in points], [p.loss for p in points], color=color, marker=marker, markersize=5)
            line.set_linestyle("-" if step == STEPS[0] else ":")
            line.set_label(f"{printed.name}, {history.settings.step}")
    if problem.floor is not None:
        axes.axhline(problem.floor, color="black", linewidth=1, linestyle="--")
        axes.annotate("the least loss", (1, problem.floor), (-4, 3), xycoords=("axes fraction", "data"), ha="right",
                      textcoords="offset points", fontsize=9)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("seconds of training, evaluation left out")
    axes.set_ylabel("loss after each epoch")
    axes.set_title(f"Loss against time, {problem.name}", loc="left", fontsize=11)
    figure.legend(fontsize=8, loc="outside lower center", ncols=5)
    return figure
