"""Gradient noise: the standard deviation of a minibatch's gradient over its size, and the slope of its fall."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minisgd.common.pictures import CYCLE
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
    (slope, level), covariance = np.polyfit(np.log(SIZES), np.log(deviations), 1, cov=True)
    reach = 2 * float(np.sqrt(covariance[0, 0]))
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.loglog(SIZES, deviations, color=CYCLE[0][0], marker=CYCLE[0][1], linestyle="", label=f"measured, {DRAWS:,} draws each")
    fitted = np.exp(level) * np.array(SIZES, float) ** slope
    axes.loglog(SIZES, fitted, color=CYCLE[1][0], label=f"fitted slope {slope:.3f} ± {reach:.3f}")
    axes.set_xlabel("batch size")
    axes.set_ylabel("standard deviation of the gradient")
    axes.set_title(f"Gradient noise at zero weights, {problem.name}", loc="left", fontsize=11)
    axes.legend()
    return Finding(
        title=f"Standard deviation of a minibatch's gradient, {problem.name}",
        headings=("batch", "deviation", "x root of batch"),
        rows=[(str(b), digits(s), digits(s * b**0.5)) for b, s in zip(SIZES, deviations, strict=True)],
        sentences=[f"The noise falls as the batch size to the power {slope:.3f} ± {reach:.3f}; the claim is -0.5."],
        figure=figure,
        data={"sizes": list(SIZES), "deviations": deviations, "slope": float(slope), "reach": reach},
    )
