"""What a step costs before it computes anything: time a step = t0 + flops / rate, fitted for each implementation."""

from __future__ import annotations

import time

import numpy as np
from matplotlib.figure import Figure

from minisgd import steps
from minisgd.common.pictures import CYCLE
from minisgd.common.units import digits, seconds
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding
from minisgd.experiments.timing import one_thread

SIZES = (1, 10, 100, 500, 1500)
STEPS = ("numba-fused", "numba", "numpy", "numba-gemm", "torch", "torch-concise", "torch-compile")
REPEATS = 7
ENOUGH_S = 0.02


def run(problem: Problem, advance: Advance) -> Finding:
    """Time an epoch of each implementation at several batch sizes, and fit both costs."""
    data = problem.astype("float32")
    n, d = data.x.shape
    order = np.arange(n)
    times: dict[str, list[float]] = {}
    for name in STEPS:
        advance(name)
        weights, bias = np.zeros((d, 1), np.float32), np.zeros(1, np.float32)
        epoch = steps.find(name).function(data.x, data.y, weights, bias, data.objective)
        with one_thread():
            times[name] = [_step_seconds(epoch, order, min(size, n)) for size in SIZES]
    work = np.array([steps.flops(min(size, n), d, 1, min(size, n)) for size in SIZES], float)
    fits = {name: fit(work, np.array(found)) for name, found in times.items()}
    figure = Figure(figsize=(8.5, 4.8), layout="constrained")
    axes = figure.subplots()
    for (color, marker), (name, found) in zip(CYCLE, times.items(), strict=False):
        axes.loglog(SIZES, [each * 1e6 for each in found], color=color, marker=marker, linestyle="", label=name)
        start, rate = fits[name]
        axes.loglog(SIZES, (start + work / rate) * 1e6, color=color, linewidth=1)
    axes.set_xlabel("batch size")
    axes.set_ylabel("microseconds a step; lines: t0 + flops / rate")
    axes.set_title(f"Overhead and arithmetic, {problem.name}, float32", loc="left", fontsize=11)
    axes.legend(fontsize=8)
    most = max(fits, key=lambda name: fits[name][0])
    start = fits[most][0]
    return Finding(
        title=f"Time a step = t0 + flops / rate, {problem.name}, float32",
        headings=("step", *(f"batch {size}" for size in SIZES), "t0", "GFLOPS", "t0 is half at"),
        rows=[
            (name, *(seconds(each) for each in times[name]), seconds(t0), digits(rate / 1e9), digits(t0 * rate / (4 * d)))
            for name, (t0, rate) in fits.items()
        ],
        sentences=[
            f"{most} pays {seconds(start)} a step before it computes.",
            f"numba-fused pays {seconds(fits['numba-fused'][0])}.",
        ],
        figure=figure,
        data={"sizes": list(SIZES), "seconds": times, "fits": {name: list(each) for name, each in fits.items()}},
    )


def fit(work: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """t0 and rate with the least relative error, neither negative.

    Examples
    --------
    >>> t0, rate = fit(np.array([10.0, 100.0, 1000.0]), 2e-6 + np.array([10.0, 100.0, 1000.0]) / 1e9)
    >>> round(t0 * 1e6, 3), round(rate / 1e9, 3)
    (2.0, 1.0)
    """
    from scipy.optimize import nnls

    start, inverse = nnls(np.column_stack([1 / times, work / work.max() / times]), np.ones(len(times)))[0]
    return float(start), float(work.max() / max(inverse, 1e-15))


def _step_seconds(epoch: steps.Epoch, order: np.ndarray, size: int) -> float:
    """Least seconds a step of several trials, of as many epochs as take long enough."""
    count = -(-len(order) // size)
    epoch(order[:size], size, 0.0)
    start = time.perf_counter()
    epoch(order, size, 0.0)
    turns = max(1, int(ENOUGH_S / (time.perf_counter() - start)))
    trials = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(turns):
            epoch(order, size, 0.0)
        trials.append((time.perf_counter() - start) / turns / count)
    return min(trials)
