"""Runs as pictures: the ladder, epochs of SGD, tiles; PNG for people and SVG for pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.harness.records import Record, Run
from benchmarks.views.naming import machine_name
from benchmarks.views.sizes import over_size
from kernels.registry import RUNGS
from kernels.rungs.loop_tiles import resident_bytes
from minisgd.common.cli import UsageError
from minisgd.common.pictures import series, tip
from minisgd.common.plates import GREY, INK, Label, Panel, Plate, colors, plain, style
from minisgd.common.units import digits, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGES = {1: "width of the slab, elements", 2: "block of b, KiB", 3: "edge of the square tiles, elements"}
"""What tiles are drawn over, by how many sizes a tile has."""


def products(run: Run) -> Figure:
    """The ladder of a run at one size; rates over size, where kernels were measured at several.

    Raises
    ------
    UsageError
        If no record passed.
    """
    plates = [plate for _, plate in over_size(run)]
    return plates[0].figure() if plates else ladder(run)


def ladder(run: Run) -> Figure:
    """GFLOPS by rung and backend on a log scale, each kernel at its best thread count, under the measured ceiling.

    Raises
    ------
    UsageError
        If no record passed.
    """
    best: dict[str, Record] = {}
    for record in run.records:
        if record.gflops and (record.kernel not in best or record.gflops > (best[record.kernel].gflops or 0)):
            best[record.kernel] = record
    if not best:
        raise UsageError("nothing to draw: the run has no record that passed")
    title = f"{_products(list(best.values()))}\n{shorten(machine_name(run.machine))}"
    return Plate([Panel(lambda axes: _rungs(axes, run, list(best.values())), (8.5, 5.2))], title).figure()


def _rungs(axes: Axes, run: Run, best: Sequence[Record]) -> list[Label]:
    """A line for each backend over its rungs, and one for each ceiling, named at the edge."""
    present = {record.rung for record in best}
    rungs = [rung for rung in RUNGS if rung in present] + sorted(present - RUNGS.keys())
    labels = []
    for backend in dict.fromkeys(record.backend for record in best):
        mine = sorted((each for each in best if each.backend == backend), key=lambda each: rungs.index(each.rung))
        x = [rungs.index(record.rung) for record in mine]
        _points(axes, x, mine, backend)
        told = f"{_marked(backend, mine)}: {digits(mine[-1].gflops or 0)}"
        labels.append(Label(x[-1], mine[-1].gflops or 0, told, style(backend)[0], mine[-1].kernel, edge=True))
    labels += _ceilings(axes, run, best, len(rungs) - 1)
    axes.set_yscale("log")
    axes.set_ylabel("GFLOPS (2mnp / median time)")
    axes.set_xticks(range(len(rungs)), rungs)
    axes.margins(x=0.08)
    plain(axes, "y")
    return labels


def _products(records: Sequence[Record]) -> str:
    """The product that was measured, and the sizes of the rungs that were measured at smaller ones."""
    largest = max(records, key=lambda record: record.flops or 0)
    smaller: dict[str, list[str]] = {}
    for record in sorted(records, key=lambda record: record.flops or 0):
        if record.size != largest.size and record.size not in smaller.setdefault(record.rung, []):
            smaller[record.rung].append(record.size)
    apart = "".join(f"; {rung} at {' and '.join(sizes)}" for rung, sizes in smaller.items())
    return f"The same product, {largest.size} {largest.dtype}{apart}"


def _ceilings(axes: Axes, run: Run, records: Sequence[Record], last: int) -> list[Label]:
    """A line for the FMA peak of each dtype and thread count that the records have."""
    peaks = {
        (record.dtype, record.threads): peak
        for record in records
        if (limits := run.machine.ceilings.get(record.device)) and (peak := limits.peak(record.dtype, record.threads))
    }
    labels = []
    for (dtype, threads), peak in peaks.items():
        axes.axhline(peak, color=INK, linestyle="--" if threads > 1 else ":", linewidth=1)
        labels.append(Label(last, peak, f"at most, x{threads}: {digits(peak)}" + f" {dtype}" * (len(peaks) > 2), edge=True))
    axes.margins(y=0.1)
    return labels


def epochs(run: Run) -> Figure:
    """Examples a second over the batch size for each step, and the limit.

    Raises
    ------
    UsageError
        If no record passed.
    """
    passed = [record for record in run.records if record.examples_s]
    if not passed:
        raise UsageError("nothing to draw: the run has no record that passed")
    title = f"An epoch of SGD, {passed[0].size} {passed[0].dtype}\n{shorten(machine_name(run.machine))}"
    return Plate([Panel(lambda axes: _epochs(axes, passed), (8.5, 5.2))], title).figure()


def _epochs(axes: Axes, passed: Sequence[Record]) -> list[Label]:
    labels = []
    found = colors(list(dict.fromkeys(record.kernel for record in passed)))
    for step, (color, marker) in found.items():
        mine = sorted((record for record in passed if record.kernel == step), key=lambda record: record.shape["batch"])
        batches = [record.shape["batch"] for record in mine]
        rates = [(record.examples_s or 0) / 1e6 for record in mine]
        axes.loglog(batches, rates, color=color, marker=marker, label=mine[0].label, gid=series(step))
        texts = [f"{each.title}: {digits(rate)} million examples a second" for each, rate in zip(mine, rates, strict=True)]
        tip(axes, batches, rates, texts)
        labels.append(Label(batches[-1], rates[-1], mine[-1].label, color, step, edge=True))
    if limits := {batch: rate / 1e6 for batch, rate in _limits(passed).items()}:
        axes.loglog(list(limits), list(limits.values()), color=INK, linestyle="--", linewidth=1, label="limit")
        labels.append(Label(list(limits)[-1], list(limits.values())[-1], "limit", INK, edge=True))
    axes.set(xlabel="batch size", ylabel="million examples a second")
    plain(axes, "x", [record.shape["batch"] for record in passed])
    plain(axes, "y")
    return labels


def _limits(passed: Sequence[Record]) -> dict[int, float]:
    """The most examples a second that the limit allows, by batch size, over all dtypes and thread counts.

    A batch size with a record beyond its limit is left out: the ceilings that the limit follows from were not reached.
    """
    found: dict[int, float] = {}
    for batch in sorted({record.shape["batch"] for record in passed}):
        mine = [record for record in passed if record.shape["batch"] == batch]
        most = max((record.shape["n"] / record.limit_s for record in mine if record.limit_s), default=0.0)
        if most >= max(record.examples_s or 0 for record in mine):
            found[batch] = most
    return found


def tiles(records: Sequence[Record], predicted: Mapping[str, Mapping[str, int]]) -> Figure:
    """GFLOPS over the edge of square tiles or the width of a slab, and over a tile's depth and width where those vary.

    Parameters
    ----------
    records : sequence of Record
        One kernel on one shape, a record for each tile.
    predicted : mapping of str to tile
        By cache. It is marked by a line over the edges or widths, or by a frame in the plane.
    """
    passed = [record for record in records if record.gflops and record.tile]
    return tile_plate(passed, predicted).figure()


def tile_plate(passed: Sequence[Record], predicted: Mapping[str, Mapping[str, int]]) -> Plate:
    """The same, as panels."""
    line, plane = [record for record in passed if edge(record)], _plane(passed)
    if not line:
        raise UsageError("nothing to draw: the run has no slabs and no square tiles")
    panels = [Panel(lambda axes: _over_edges(axes, line, predicted), (5.2, 4.2))]
    if plane:
        panels.append(Panel(lambda axes: _heat(axes, plane, _expected(plane, predicted)), (5.2, 4.2)))
    some = line[0]
    return Plate(panels, f"{some.kernel}, {some.size} {some.dtype}, threads: {some.threads}")


def _over_edges(axes: Axes, line: Sequence[Record], predicted: Mapping[str, Mapping[str, int]]) -> list[Label]:
    """Rates over the edge of square tiles or the width of slabs; the best and the predicted named."""
    line = sorted(line, key=edge)
    edges, rates = [edge(record) for record in line], [record.gflops or 0 for record in line]
    _points(axes, edges, line, line[0].backend)
    best = max(line, key=lambda record: record.gflops or 0)
    axes.plot(edge(best), best.gflops or 0, "o", mfc="none", mec=INK, ms=12)
    told = {edge(best): ["best measured"]}
    for name, record in _expected(line, predicted):
        axes.axvline(edge(record), color=GREY, linestyle=":", linewidth=1)
        told.setdefault(edge(record), []).append(f"predicted for {name}")
    by_edge = dict(zip(edges, rates, strict=True))
    labels = [Label(at, by_edge[at], f"{', '.join(said)}: {at:,}") for at, said in told.items()]
    axes.set_xscale("log", base=2)
    axes.set_ylim(0, max(1.3 * max(rates), 1.05 * max(record.gflops_high or 0 for record in line)))
    axes.set_xlabel(EDGES[len(best.tile or {})])
    axes.set_ylabel("GFLOPS")
    plain(axes, "x", edges)
    return labels


def edge(record: Record) -> int:
    """The width of a slab, the edge of a square tile, or KiB of a block of b; 0 for a tile of another form."""
    if "kc" in (record.tile or {}):
        return resident_bytes(record.kernel, record.tile or {}, record.dtype, record.shape["n"]) >> 10
    first, *others = (record.tile or {"": 0}).values()
    return first if all(other == first for other in others) else 0


def _plane(records: Sequence[Record]) -> list[Record]:
    """The tiles of one height tm: of that which most of those have that are not square."""
    heights = Counter(tile["tm"] for tile in (record.tile or {} for record in records if not edge(record)) if "tm" in tile)
    return [record for record in records if (record.tile or {}).get("tm") in dict(heights.most_common(1))]


def _expected(records: Sequence[Record], predicted: Mapping[str, Mapping[str, int]]) -> list[tuple[str, Record]]:
    """The records of the predicted tiles, with the names of the caches that each was predicted for."""
    found = [(" and ".join(name for name in predicted if predicted[name] == record.tile), record) for record in records]
    return [(names, record) for names, record in found if names]


def _points(axes: Axes, x: Sequence[int], records: Sequence[Record], backend: str) -> None:
    """Rates with their intervals, in a backend's colour and marker."""
    color, marker = style(backend)
    rates = [record.gflops or 0 for record in records]
    below = [rate - (record.gflops_low or rate) for rate, record in zip(rates, records, strict=True)]
    above = [(record.gflops_high or rate) - rate for rate, record in zip(rates, records, strict=True)]
    drawn = axes.errorbar(x, rates, [below, above], color=color, marker=marker, label=backend, capsize=3, linewidth=1.5)
    for part in (drawn.lines[0], *drawn.lines[1], *drawn.lines[2]):
        part.set_gid(series(backend))
    texts = [f"{each.title}: {digits(rate)} GFLOPS" for each, rate in zip(records, rates, strict=True)]
    tip(axes, x, rates, texts)


def _marked(name: str, records: Sequence[Record]) -> str:
    return f"{name} (held back)" if any(record.held_back for record in records) else name


def _heat(axes: Axes, records: Sequence[Record], expected: Sequence[tuple[str, Record]]) -> list[Label]:
    """GFLOPS by depth and width, each figure written into its cell; the predicted tiles framed and named."""
    rates = {((record.tile or {})["tn"], (record.tile or {})["tp"]): record.gflops or 0 for record in records}
    depths, widths = (sorted({tile[place] for tile in rates}) for place in (0, 1))
    values = [[rates.get((depth, width), float("nan")) for width in widths] for depth in depths]
    axes.imshow(values, origin="lower", cmap="viridis", aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(len(widths)), [str(width) for width in widths])
    axes.set_yticks(range(len(depths)), [str(depth) for depth in depths])
    axes.set_xlabel("tp: columns of the tile of b")
    axes.set_ylabel("tn: its rows")
    axes.set_title(f"GFLOPS by depth and width; tm = {(records[0].tile or {})['tm']}", loc="left", fontsize=10)
    low, high = min(rates.values()), max(rates.values())
    for i, row in enumerate(values):
        for j, rate in enumerate(row):
            color = "#111111" if rate > (low + high) / 2 else "#ffffff"
            axes.text(j, i, "" if isnan(rate) else f"{rate:.3g}", ha="center", va="center", color=color, fontsize=8.5)
    for names, record in expected:
        i, j = depths.index((record.tile or {})["tn"]), widths.index((record.tile or {})["tp"])
        axes.add_patch(Rectangle((j - 0.47, i - 0.47), 0.94, 0.94, fill=False, edgecolor="red", linewidth=2))
        color = "#111111" if (record.gflops or 0) > (low + high) / 2 else "#ffffff"
        axes.text(j, i - 0.33, names.removesuffix(" (chosen)"), ha="center", va="center", color=color, fontsize=7)
    return []
