"""Pictures that only the page has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.harness.machines import Ceilings, Machine
from benchmarks.harness.records import Record
from benchmarks.report.models import Overhead, intensity
from kernels.cpu.tiles import ITEMSIZE
from minisgd.common.pictures import CYCLE, OTHER, STYLES, tip
from minisgd.common.units import digits, seconds, shorten

MARKERS = {"elementwise": "v", "rowwise": "<", "columnwise": "^", "block": "s", "tiled": "D", "full": "o"}
WIDE, NARROW = (8.5, 4.6), (5.2, 4.2)


def spoken(record: Record) -> str:
    """A record's rate in a line."""
    low, high = digits(record.gflops_low or 0), digits(record.gflops_high or 0)
    return f"{record.title}{' (held back)' * bool(record.held_back)}: {digits(record.gflops or 0)} GFLOPS [{low}, {high}]"


def over_size(records: Sequence[Record], here: Machine) -> Figure:
    """GFLOPS over the size of square products, with the sizes at which the three operands fill each cache."""
    first = records[0]
    figure = Figure(figsize=WIDE, layout="constrained")
    axes = figure.subplots()
    for (color, marker), kernel in zip(CYCLE * 4, sorted({each.kernel for each in records}), strict=False):
        mine = sorted((each for each in records if each.kernel == kernel), key=lambda each: each.shape["m"])
        x, y = [each.shape["m"] for each in mine], [each.gflops or 0 for each in mine]
        axes.loglog(x, y, color=color, marker=marker, label=shorten(mine[0].label))
        tip(axes, x, y, [spoken(each) for each in mine])
    for level in here.caches:
        edge = (level.size / 3 / ITEMSIZE[first.dtype]) ** 0.5
        axes.axvline(edge, linestyle=":", color="#888888")
        axes.annotate(f"L{level.level} ends", (edge, 0.02), (3, 0), xycoords=("data", "axes fraction"),
                      textcoords="offset points", rotation=90, fontsize=8)  # fmt: skip
    _peak(axes, here.ceilings.get(first.device), first)
    axes.set(xlabel="n, of n x n matrices", ylabel="GFLOPS", title=f"{first.dtype}, threads: {first.threads}")
    figure.legend(fontsize=8, ncols=4, loc="outside lower center")
    return figure


def roofline(records: Sequence[Record], limits: Ceilings) -> Figure:
    """Rates over their arithmetic intensity: each operand counted once, and as often as the rung reads it."""
    first = records[0]
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    peak = limits.peak(first.dtype, first.threads)
    models = {"each operand once": True, "as often as the rung reads it": False}
    for axes, (model, once) in zip(figure.subplots(1, 2, sharey=True), models.items(), strict=True):
        x = [intensity(each, once) for each in records]
        for each, at in zip(records, x, strict=True):
            color, _ = STYLES.get(each.backend, OTHER)
            axes.loglog([at], [each.gflops or 0], color=color, marker=MARKERS.get(each.rung, "P"), linestyle="none")
        tip(axes, x, [each.gflops or 0 for each in records], [spoken(each) for each in records])
        reach = np.geomspace(min([*x, 0.05]), max([*x, 100]), 50)
        for band in limits.bandwidths:
            if band.threads == first.threads:
                axes.plot(reach, np.minimum(reach * band.read_gbs, peak or np.inf), color="#888888", linewidth=1)
                axes.annotate(band.level, (reach[0], reach[0] * band.read_gbs), fontsize=8)
        axes.set(xlabel=f"flops a byte: {model}", title=model)
    figure.axes[0].set_ylabel("GFLOPS")
    rungs = [rung for rung in MARKERS if any(each.rung == rung for each in records)]
    keys = [Line2D([], [], color=STYLES.get(b, OTHER)[0], lw=4, label=b) for b in dict.fromkeys(each.backend for each in records)]
    keys += [Line2D([], [], color="#888888", marker=MARKERS[rung], linestyle="none", label=rung) for rung in rungs]
    figure.legend(handles=keys, loc="outside right center", fontsize=8)
    return figure


def overhead(found: dict[str, Overhead]) -> Figure:
    """The share of a call's time that starting operations takes, by kernel."""
    figure = Figure(figsize=(8.5, 1 + 0.28 * len(found)), layout="constrained")
    axes = figure.subplots()
    names = sorted(found, key=lambda name: found[name].share)
    shares = [100 * found[name].share for name in names]
    axes.barh(names, shares, color=[STYLES.get(name.split("/")[0], OTHER)[0] for name in names])
    axes.set(xlabel="time spent starting the operation at the largest size measured, %", xlim=(0, 105))
    starts = [seconds(found[name].start_s) if found[name].start_s else "0" for name in names]
    for place, (value, start) in enumerate(zip(shares, starts, strict=True)):
        axes.annotate(start, (value, place), (3, 0), textcoords="offset points", va="center", fontsize=8)
    texts = [
        f"{name}: {start} a start, {value:.0f} % of the time" for name, value, start in zip(names, shares, starts, strict=True)
    ]
    tip(axes, shares, range(len(names)), texts)
    axes.grid(visible=False, axis="y")
    return figure


def noise(data: dict[str, Any]) -> Figure:
    """Deviation of the gradient over the batch size."""
    figure = Figure(figsize=NARROW, layout="constrained")
    axes = figure.subplots()
    axes.loglog(data["sizes"], data["deviations"], "o", color=CYCLE[0][0], label=f"slope {data['slope']:.3f}")
    texts = [f"batch {size}: {value:.3g}" for size, value in zip(data["sizes"], data["deviations"], strict=True)]
    tip(axes, data["sizes"], data["deviations"], texts)
    axes.loglog(data["sizes"], [data["deviations"][0] * (each / data["sizes"][0]) ** -0.5 for each in data["sizes"]],
                color="#888888", linestyle=":", label="slope -1/2")  # fmt: skip
    axes.set(xlabel="batch size", ylabel="deviation of the gradient")
    axes.legend(loc="upper right")
    return figure


def _peak(axes: Any, limits: Ceilings | None, record: Record) -> None:
    peak = limits and limits.peak(record.dtype, record.threads)
    if peak:
        axes.axhline(peak, color="#888888", linestyle="--")
        axes.annotate(f"{peak:.0f}: multiply-adds from registers", (0.01, peak), (0, 3), xycoords=("axes fraction", "data"),
                      textcoords="offset points", fontsize=8)  # fmt: skip
