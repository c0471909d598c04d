"""Gradient noise: the standard deviation of a minibatch's gradient over its size, and the slope of its fall."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from minisgd.common.pictures import CYCLE, tip
from minisgd.common.plates import GREY, Label, Panel, Plate, plain
from minisgd.common.units import digits
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding
from minisgd.objectives import residual

SIZES = tuple(2**power for power in range(11))
DRAWS = 1000


def run(problem: Problem, advance: Advance) -> Finding:
    """Draw minibatches with replacement at zero weights; fit the slope on log axes. The claim is -1/2."""
    random = np.random.default_rng(0)
    n = len(problem.x)
    a = np.column_stack([problem.x, np.ones(n)])
    # One row an example: its gradient with respect to all weights and biases.
    r = residual(problem.objective, np.zeros_like(problem.y), problem.y)
    gradients = (a[:, :, None] * r[:, None, :]).reshape(n, -1)
    deviations = []
    for size in SIZES:
        advance(f"batch size {size}")
        means = np.array([gradients[random.integers(0, n, size)].mean(axis=0) for _ in range(DRAWS)])
        deviations.append(float(np.sqrt(means.var(axis=0, ddof=1).sum())))
    (slope, _), covariance = np.polyfit(np.log(SIZES), np.log(deviations), 1, cov=True)
    reach = 2 * float(np.sqrt(covariance[0, 0]))
    data = {"sizes": list(SIZES), "deviations": deviations, "slope": float(slope), "reach": reach, "problem": problem.name}
    return Finding(
        title=f"Standard deviation of a minibatch's gradient, {problem.name}",
        headings=("batch", "deviation", "x root of batch"),
        rows=[(str(b), digits(s), digits(s * b**0.5)) for b, s in zip(SIZES, deviations, strict=True)],
        sentences=[f"The noise falls as the batch size to the power {slope:.3f} ± {reach:.3f}; the claim is -0.5."],
        figure=draw(data).figure(),
        data=data,
    )


def draw(data: dict[str, Any]) -> Plate:
    """Deviation of a minibatch's gradient over the batch size, and the slope of the claim from the first point on."""

    def plot(axes: Axes) -> list[Label]:
        sizes, found = data["sizes"], data["deviations"]
        claim = [found[0] * (each / sizes[0]) ** -0.5 for each in sizes]
        axes.loglog(sizes, claim, color=GREY, linestyle=":")
        axes.loglog(sizes, found, CYCLE[0][1], color=CYCLE[0][0], markersize=5)
        tip(axes, sizes, found, [f"batch {size}: {value:.3g}" for size, value in zip(sizes, found, strict=True)])
        axes.set(xlabel="batch size", ylabel="standard deviation of the gradient")
        plain(axes, "x", sizes)
        plain(axes, "y")
        middle, last = len(sizes) // 2, len(sizes) - 1
        fitted = f"measured: slope {data['slope']:.3f} ± {data['reach']:.3f}"
        return [
            Label(sizes[middle], found[middle], fitted, CYCLE[0][0]),
            Label(sizes[last], claim[last], "claim: slope -0.5", GREY),
        ]

    return Plate([Panel(plot, (5.4, 4.2))], f"Gradient noise at zero weights, {data.get('problem', 'the data')}")
