"""Pictures of what ``compare``, ``inside`` and ``profile`` wrote with ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from benchmarks.harness.names import parse_title
from minisgd.common.pictures import CYCLE, series, tip
from minisgd.common.plates import INK, SMALL, Label, Panel, Plate, colors, plain, style
from minisgd.common.units import digits

ROW = 0.28
"""Inches between two rows."""


def comparison(compared: Sequence[dict[str, Any]]) -> Plate:
    """How many times as fast as the best peer, with the interval: a panel for each dtype and thread count, a row a size.

    Parameters
    ----------
    compared : sequence of dict
        The cases of ``compare --json``, each with ``ratio``, ``low``, ``high`` and ``best``.
    """
    kernel = next(iter(compared[0]["gflops"]))
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in compared:
        case = parse_title(each["case"])
        where = f"{case.dtype}, {case.threads} thread{'s'[: case.threads > 1]}"
        groups.setdefault(where, []).append(each | {"row": case.conditions.replace(f"-{case.dtype}-x{case.threads}", "")})
    ends = [end for each in compared for end in (each["low"], each["high"], 1.0)]
    reach = max(ends) - min(ends)
    limits = min(ends) - 0.06 * reach, max(ends) + 0.35 * reach  # to the right the peers' names
    panels = [
        Panel(partial(_ratios, where=where, cases=cases, limits=limits), (4.6, 1.2 + ROW * len(cases)))
        for where, cases in groups.items()
    ]
    return Plate(panels, f"{kernel}: times as fast as the best peer, which is named")


def _ratios(axes: Axes, where: str, cases: Sequence[dict[str, Any]], limits: tuple[float, float]) -> list[Label]:
    for place, each in enumerate(cases):
        color, marker = style(each["best"].split("/")[0])
        reach = [[each["ratio"] - each["low"]], [each["high"] - each["ratio"]]]
        axes.errorbar(each["ratio"], place, xerr=reach, color=color, marker=marker, capsize=3)
        _beside(axes, max(each["high"], 1.0), place, f"{each['ratio']:.2f} {each['best'].split('/')[0]}", color)
    axes.axvline(1, color=INK, linewidth=1)
    _rows(axes, [each["row"] for each in cases])
    axes.set(xlim=limits, xlabel="times as fast; right of the line it is ahead")
    axes.set_title(where, loc="left", fontsize=10)
    return []


def inside(measured: Sequence[dict[str, Any]]) -> Plate:
    """GFLOPS of each stage of numba/full with its quartiles, a panel for each dtype."""
    dtypes = list(dict.fromkeys(each["dtype"] for each in measured))
    stages = {dtype: [each for each in measured if each["dtype"] == dtype] for dtype in dtypes}
    most = max(each["high"] for each in measured)
    return Plate([
        Panel(partial(_stages, stages=found, most=most), (4.6, 1.2 + ROW * len(found))) for found in stages.values()
    ], "numba/full, stage by stage")  # fmt: skip


def _stages(axes: Axes, stages: Sequence[dict[str, Any]], most: float) -> list[Label]:
    for place, each in enumerate(stages):
        reach = [[each["gflops"] - each["low"]], [each["high"] - each["gflops"]]]
        axes.barh(place, each["gflops"], xerr=reach, color=CYCLE[0][0], height=0.7, error_kw={"ecolor": INK, "capsize": 2})
        _beside(axes, each["high"], place, digits(each["gflops"]), INK)
    _rows(axes, [each["stage"] for each in stages])
    axes.set(xlim=(0, 1.2 * most), xlabel="GFLOPS")
    axes.set_title(f"{stages[0]['size']}, {stages[0]['dtype']}", loc="left", fontsize=10)
    return []


def profile(measured: Sequence[dict[str, Any]]) -> Plate:
    """The share of a one-thread product's time that each part takes beyond the multiply-adds: a panel a part, a line a dtype."""
    first, *parts = [part for part in dict.fromkeys(each["part"] for each in measured) if part != "all threads"]
    shares = [each["percent"] for each in measured if each["part"] in parts]
    limits = min(0.0, *shares) - 0.5, max(shares) + 0.5
    panels = [Panel(partial(_shares, found=[each for each in measured if each["part"] == part], limits=limits)) for part in parts]
    return Plate(panels, f"% of the time of numba/full on one thread, beyond its {first}")


def _shares(axes: Axes, found: Sequence[dict[str, Any]], limits: tuple[float, float]) -> list[Label]:
    labels = []
    sizes = [int(each["size"]) for each in found]
    axes.set(xscale="log", xlim=(min(sizes) / 1.2, max(sizes) * 1.2), ylim=limits)
    axes.set(xlabel="n, of n x n matrices", ylabel="% of the time")
    axes.axhline(0, color=INK, linewidth=1)
    for dtype, (color, marker) in colors(list(dict.fromkeys(each["dtype"] for each in found))).items():
        mine = [each for each in found if each["dtype"] == dtype]
        x, y = [int(each["size"]) for each in mine], [each["percent"] for each in mine]
        axes.plot(x, y, color=color, marker=marker, markersize=4, linewidth=1.3, gid=series(dtype))
        tip(axes, x, y, [f"{each['size']}, {dtype}: {each['percent']:.1f} %" for each in mine])
        labels.append(Label(x[-1], y[-1], dtype, color, dtype, edge=True))
    plain(axes, "x", sizes)
    axes.set_title(found[0]["part"], loc="left", fontsize=10)
    return labels


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """A name for each row, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _beside(axes: Axes, x: float, place: int, text: str, color: str) -> None:
    """A text right of what a row shows."""
    axes.annotate(text, (x, place), (5, 0), textcoords="offset points", va="center", color=color, fontsize=SMALL)
