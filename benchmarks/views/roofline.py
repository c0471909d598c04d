"""The roofline: how fast each kernel is at its flops a byte, under what multiply-adds and each level of memory allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from benchmarks.harness.machines import Ceilings
from benchmarks.harness.records import Record
from benchmarks.harness.relations import rate
from benchmarks.views.models import intensity
from benchmarks.views.sizes import spoken
from minisgd.common.pictures import series, tip
from minisgd.common.plates import GREY, INK, Label, Panel, Plate, plain, style
from minisgd.common.units import digits

MARKERS = {"elementwise": "v", "rowwise": "<", "columnwise": "^", "block": "s", "tiled": "D", "full": "o"}


def roofline(records: Sequence[Record], limits: Ceilings, colored: Sequence[str]) -> Plate:
    """One dtype and thread count.

    Parameters
    ----------
    records : sequence of Record
    limits : Ceilings
    colored : sequence of str
        Kernels to draw in colour and to name. The others are grey, and tell what they are where the pointer rests.
    """

    def draw(axes: Axes) -> list[Label]:
        first, labels = records[0], []
        x = [intensity(each, once=False) for each in records]
        axes.set(xscale="log", yscale="log")
        for each, at in sorted(zip(records, x, strict=True), key=lambda pair: pair[0].kernel in colored):
            color = style(each.backend)[0] if each.kernel in colored else GREY
            faint: dict[str, Any] = {} if each.kernel in colored else {"alpha": 0.55, "markersize": 4}
            axes.plot([at], [rate(each)], color=color, marker=MARKERS.get(each.rung, "P"), gid=series(each.kernel), **faint)
            if each.kernel in colored:
                labels.append(Label(at, rate(each), each.label, color, each.kernel))
        tip(axes, x, [rate(each) for each in records], [spoken(each) for each in records])
        reach = min([0.5, *x]) / 2, max([30, *x]) * 3  # far enough to see the slopes meet the multiply-adds
        labels += _roof(axes, limits, first, reach)
        axes.set_xlim(reach)
        axes.set_ylim(min(map(rate, records)) / 2, 4 * (limits.peak(first.dtype, first.threads) or max(map(rate, records))))
        plain(axes, "x")
        plain(axes, "y")
        axes.set(xlabel="flops for each byte that the kernel reads", ylabel="GFLOPS")
        return labels

    return Plate([Panel(draw, (7.0, 4.6))])


def _roof(axes: Axes, limits: Ceilings, first: Record, reach: tuple[float, float]) -> list[Label]:
    """What each memory level's bandwidth and the peak allow, named along the lines."""
    peak = limits.peak(first.dtype, first.threads)
    x = np.geomspace(*reach, 60)
    labels = []
    for band in limits.bandwidths:
        if band.threads == first.threads:
            allowed = np.minimum(x * band.read_gbs, peak or np.inf)
            axes.plot(x, allowed, color=GREY, linewidth=0.8)
            if band.level in ("L1", "memory"):
                labels.append(Label(float(x[4]), float(allowed[4]), f"{band.level}: {digits(band.read_gbs)} GB/s", GREY))
    if peak:
        axes.axhline(peak, color=INK, linestyle="--", linewidth=1)
        labels.append(Label(float(x[-30]), peak, f"multiply-adds from registers: {digits(peak)} GFLOPS", INK))
    return labels
