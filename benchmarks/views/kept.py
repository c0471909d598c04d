"""Pictures of what ``compare``, ``inside`` and ``profile`` wrote with ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from benchmarks.harness.names import parse_title
from minisgd.common.pictures import CYCLE
from minisgd.common.units import digits


def comparison(compared: Sequence[dict[str, Any]]) -> Figure:
    """How many times as fast as the best peer, by case, with the interval.

    Parameters
    ----------
    compared : sequence of dict
        The cases of ``compare --json``, each with ``ratio``, ``low`` and ``high``.
    """
    kernel = next(iter(compared[0]["gflops"]))
    cases = [parse_title(each["case"]).conditions for each in compared]
    ratios = [each["ratio"] for each in compared]
    reach = [[each["ratio"] - each["low"] for each in compared], [each["high"] - each["ratio"] for each in compared]]
    figure = Figure(figsize=(8.5, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.errorbar(range(len(cases)), ratios, reach, fmt="s", color=CYCLE[1][0], capsize=3)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_xticks(range(len(cases)), cases, rotation=75, fontsize=8)
    axes.set_ylabel("times as fast as the best peer")
    axes.set_title(f"{kernel} against the best peer", loc="left", fontsize=11)
    return figure


def inside(measured: Sequence[dict[str, Any]]) -> Figure:
    """GFLOPS of each stage of numba/full with its quartiles, a panel for each dtype."""
    dtypes = list(dict.fromkeys(each["dtype"] for each in measured))
    figure = Figure(figsize=(8.5, 3.2), layout="constrained")
    for axes, dtype in zip(figure.subplots(1, len(dtypes), squeeze=False)[0], dtypes, strict=True):
        mine = [each for each in measured if each["dtype"] == dtype]
        rates = [each["gflops"] for each in mine]
        reach = [[each["gflops"] - each["low"] for each in mine], [each["high"] - each["gflops"] for each in mine]]
        axes.barh(range(len(mine)), rates, xerr=reach, color=CYCLE[0][0])
        axes.set_yticks(range(len(mine)), [each["stage"] for each in mine])
        axes.invert_yaxis()
        for place, each in enumerate(mine):
            axes.annotate(digits(each["gflops"]), (each["high"], place), (4, 0), textcoords="offset points", va="center")
        axes.margins(x=0.18)
        axes.set_xlabel("GFLOPS")
        axes.set_title(f"{mine[0]['size']}, {dtype}", loc="left", fontsize=11)
    return figure


def profile(measured: Sequence[dict[str, Any]]) -> Figure:
    """The share of a one-thread product's time that each part takes beyond the multiply-adds, a panel for each dtype."""
    first, *parts = [part for part in dict.fromkeys(each["part"] for each in measured) if part != "all threads"]
    dtypes = list(dict.fromkeys(each["dtype"] for each in measured))
    sizes = list(dict.fromkeys(each["size"] for each in measured))
    share = {(each["dtype"], each["size"], each["part"]): each["percent"] for each in measured}
    figure = Figure(figsize=(8.5, 3.6), layout="constrained")
    panels = figure.subplots(1, len(dtypes), squeeze=False, sharey=True)[0]
    width = 0.8 / len(parts)
    for axes, dtype in zip(panels, dtypes, strict=True):
        for place, (part, (color, _)) in enumerate(zip(parts, CYCLE, strict=False)):
            x = [column + (place - (len(parts) - 1) / 2) * width for column in range(len(sizes))]
            axes.bar(x, [share[dtype, size, part] for size in sizes], width, color=color, label=part)
        labels = [f"{size}\n{share[dtype, size, first]:.0f} %" for size in sizes]
        axes.set_xticks(range(len(sizes)), labels)
        axes.axhline(0, color="black", linewidth=1)
        axes.set_xlabel(f"size, and the share of the {first}")
        axes.set_title(dtype, loc="left", fontsize=11)
    panels[0].set_ylabel("% of the product's time")
    panels[-1].legend(fontsize=8)
    return figure
