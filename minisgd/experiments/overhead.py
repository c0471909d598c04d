"""What a step costs before it computes anything: time a step = t0 + flops / rate, fitted for each implementation."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from minisgd import steps
from minisgd.common.intervals import Interval, median_interval
from minisgd.common.plates import Label, Panel, Plate, colors, curve, plain
from minisgd.common.units import digits, duration, seconds
from minisgd.data import Problem
from minisgd.experiments import Advance, Finding, spans
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
    times: dict[str, list[Interval]] = {}
    for name in STEPS:
        advance(name)
        weights, bias = np.zeros((d, 1), np.float32), np.zeros(1, np.float32)
        epoch = steps.find(name).function(data.x, data.y, weights, bias, data.objective)
        with one_thread():
            times[name] = [_step_seconds(epoch, order, min(size, n)) for size in SIZES]
    work = np.array([steps.flops(min(size, n), d, 1, min(size, n)) for size in SIZES], float)
    fits = {name: fit(work, np.array([middle for middle, *_ in found])) for name, found in times.items()}
    kept = {
        "problem": problem.name,
        "sizes": list(SIZES),
        "seconds": {name: [middle for middle, *_ in found] for name, found in times.items()},
        "seconds_interval": {name: [ends for _, *ends in found] for name, found in times.items()},
        "fits": {name: list(each) for name, each in fits.items()},
    }
    most = max(fits, key=lambda name: fits[name][0])
    start = fits[most][0]
    return Finding(
        title=f"Time a step = t0 + flops / rate, {problem.name}, float32",
        headings=("step", *(f"batch {size}" for size in SIZES), "t0", "GFLOPS", "t0 is half at"),
        rows=[
            (name, *(seconds(each[0]) for each in times[name]), seconds(t0), digits(rate / 1e9), digits(t0 * rate / (4 * d)))
            for name, (t0, rate) in fits.items()
        ],
        sentences=[
            f"{most} pays {seconds(start)} a step before it computes.",
            f"numba-fused pays {seconds(fits['numba-fused'][0])}.",
        ],
        figure=draw(kept).figure(),
        data=kept,
    )


def draw(data: dict[str, Any]) -> Plate:
    """Time of a step over the batch size, an implementation a line."""

    def plot(axes: Axes) -> list[Label]:
        labels, styles = [], colors(list(data["seconds"]))
        for name, times in data["seconds"].items():
            found = spans(times, data.get("seconds_interval", {}).get(name))
            told = [f"{name}, batch {size}: {seconds(each)} a step" for size, each in zip(data["sizes"], times, strict=True)]
            curve(axes, data["sizes"], found, name, styles[name], told)
            said = f"{name}: t0 = {seconds(data['fits'][name][0])}"
            labels.append(Label(data["sizes"][-1], times[-1], said, styles[name][0], name, edge=True))
        axes.set(xscale="log", yscale="log", xlabel="batch size", ylabel="time of a step")
        plain(axes, "x", data["sizes"])
        plain(axes, "y", write=duration)
        return labels

    return Plate([Panel(plot, (7.2, 4.6))], f"Time of a step = t0 + flops / rate, {data.get('problem', 'the data')}, float32")


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


def _step_seconds(epoch: steps.Epoch, order: np.ndarray, size: int) -> Interval:
    """Seconds a step over several trials, of as many epochs as take long enough."""
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
    return median_interval(trials)
