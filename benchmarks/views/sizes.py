"""Rates over the size of square products: the best of each backend beside the peers, and each backend's rungs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from matplotlib.axes import Axes

from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Record, Run
from benchmarks.harness.relations import rate
from kernels.cpu.tiles import ITEMSIZE
from minisgd.common.plates import GREY, INK, Label, Panel, Plate, curve, plain, style
from minisgd.common.units import digits, shorten

FEWEST = 3
"""Sizes of a kernel from which there is something to draw over them."""


def over_size(run: Run) -> list[tuple[str, Plate]]:
    """For each dtype, thread count, device and cache state: what it is in words, and the picture."""
    groups: dict[tuple[str, int, str, str], list[Record]] = defaultdict(list)
    for record in run.records:
        if record.workload == "gemm" and record.gflops and len(set(record.shape.values())) == 1:
            groups[record.dtype, record.threads, record.device, record.cache].append(record)
    made = []
    for (dtype, threads, device, cache), found in groups.items():
        sizes = [{each.shape["m"] for each in found if each.kernel == kernel} for kernel in {each.kernel for each in found}]
        if max(map(len, sizes)) < FEWEST:
            continue
        by = f"{threads} thread{'s' * (threads > 1)}" if device == "cpu" else device
        where = f"{dtype}, {by}{', out of cache' * (cache == 'cold')}"
        made.append((where, Plate(_panels(found, run.machine), f"GFLOPS over size, {where}; {shorten(run.machine.cpu)}")))
    return made


def spoken(record: Record) -> str:
    """A record's rate in a line."""
    low, high = digits(record.gflops_low or 0), digits(record.gflops_high or 0)
    return f"{record.title}{' (held back)' * bool(record.held_back)}: {digits(record.gflops or 0)} GFLOPS [{low}, {high}]"


def _panels(records: Sequence[Record], here: Machine) -> list[Panel]:
    """The products in one call, on a scale of their own; then a panel for each backend with several kernels, on one scale."""
    by_kernel: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda each: each.shape["m"]):
        by_kernel[record.kernel].append(record)
    kernels = list(by_kernel.values())
    best = {line[0].backend: line for line in sorted(kernels, key=lambda line: max(map(rate, line)))}
    everything = [each.shape["m"] for each in records]

    def panel(title: str, lines: Sequence[Sequence[Record]], colored: Sequence[Sequence[Record]], names: bool) -> Panel:
        shown = [rate(each) for line in (lines if names else kernels) for each in line]
        limits = min(shown) / 1.5, max(1.6 * max(shown), 1.2 * (_peak(here, records[0]) or 0))

        def draw(axes: Axes) -> list[Label]:
            axes.set(xscale="log", yscale="log", xlim=(min(everything) / 1.15, max(everything) * 1.15), ylim=limits)
            labels = []
            for line in lines:
                color = style(line[0].backend)[0] if line in colored else GREY
                labels.append(_line(axes, line, color, line[0].label if names else line[0].rung))
            labels += _borders(axes, here, records[0])
            plain(axes, "x", everything)
            plain(axes, "y")
            axes.set(xlabel="n, of n x n matrices", ylabel="GFLOPS")
            axes.set_title(title, loc="left", fontsize=10, pad=16)
            return labels

        return Panel(draw)

    whole = [line for line in kernels if line[0].rung == "full"]
    fronts = whole if len(whole) > 1 else list(best.values())
    several = [backend for backend in best if sum(line[0].backend == backend for line in kernels) > 1]
    made = [panel("in one call: the best and its peers", fronts, fronts, names=True)]
    for backend in sorted(several):
        mine = [line for line in kernels if line[0].backend == backend]
        made.append(panel(f"{backend}: its best rung in colour", mine, [best[backend]], names=False))
    return made


def _line(axes: Axes, records: Sequence[Record], color: str, name: str) -> Label:
    """A kernel's rates with their intervals, and its label."""
    x = [each.shape["m"] for each in records]
    spans = [(rate(each), each.gflops_low or rate(each), each.gflops_high or rate(each)) for each in records]
    last = records[-1]
    curve(axes, x, spans, last.kernel, (color, style(last.backend)[1]), [spoken(each) for each in records])
    return Label(x[-1], rate(last), shorten(name, 24), color, last.kernel, edge=True)


def _peak(here: Machine, first: Record) -> float | None:
    ceilings = here.ceilings.get(first.device)
    return ceilings.peak(first.dtype, first.threads) if ceilings else None


def _borders(axes: Axes, here: Machine, first: Record) -> list[Label]:
    """The sizes at which three operands fill each cache, and the peak."""
    low, high = axes.get_xlim()
    for level in here.caches if first.device == "cpu" else []:
        border = (level.size / 3 / ITEMSIZE[first.dtype]) ** 0.5
        if low < border < high:
            axes.axvline(border, linestyle=":", color=GREY, linewidth=1)
            axes.annotate(f"L{level.level} full", (border, 1), (0, 2), xycoords=("data", "axes fraction"),
                          textcoords="offset points", ha="center", va="bottom", fontsize=7.5, color=GREY)  # fmt: skip
    peak = _peak(here, first)
    if not peak:
        return []
    axes.axhline(peak, color=INK, linestyle="--", linewidth=1)
    return [Label(high, peak, f"at most {digits(peak)}", INK, edge=True)]
