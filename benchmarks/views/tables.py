"""Runs as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.harness import relations
from benchmarks.harness.records import Record, Run
from kernels.registry import RUNGS
from minisgd import published as book
from minisgd.common.tables.description import Cell, Column, Table, interval, words
from minisgd.common.units import digits, percent

KERNEL = words("kernel", help="backend/rung")
THREADS = Column("threads")
MEDIAN = Column("median", "s", help="time of a call: the median over the rounds")
RATE = Column("GFLOPS", "GFLOPS", help="10^9 floating-point operations a second, at the median")
INTERVAL = Column("interval", "GFLOPS", help="interval of the GFLOPS; ~ marks one that extends more than 5 % from the median")
PEAK = Column("% peak", "%", help="GFLOPS in percent of multiply-adds from registers, measured in the same run")
BOUND = Column("% bound", "%", help="the largest error, in percent of the bound derived for the case")
RATES = [MEDIAN, RATE, INTERVAL, PEAK]
"""The columns of `rates`."""


def results(run: Run, tabs: Iterable[str] = ()) -> Table:
    """A row a record; `tabs` are those of the book whose figures are shown beside."""
    tabs = tuple(tab for tab in tabs if any(_printed(tab, record).text for record in run.records))
    varying, fixed = _conditions(run)
    first = Column("x first", help="GFLOPS over those of the backend's elementwise rung")
    printed = [Column(f"book {tab}", "GFLOPS", help="the book's figure, for the right number of operations") for tab in tabs]
    columns = [KERNEL, *map(Column, varying), THREADS, *RATES, first, *printed, BOUND]
    made = Table(columns, ", ".join(fixed))
    for before, record in zip([None, *run.records], run.records, strict=False):
        if before and before.backend != record.backend:
            made.rule()
        cells: list[str | int] = [record.label, *(_condition(record, name) for name in varying), record.threads]
        if record.failure:
            made.add(*cells, "failed", style="bad")
            continue
        figures = (_printed(tab, record) for tab in tabs)
        made.add(*cells, *rates(record), relations.speedup(run, record), *figures, record.percent_of_bound)
    return made


def epochs(run: Run) -> Table:
    """A row an epoch of SGD: its time, what follows from that, and how it compares with the limit and the framework."""
    varying, fixed = _conditions(run)
    columns = [
        words("step"), *map(Column, varying), THREADS, Column("batch", help="examples a step"),
        Column("epoch", "s", help="time of an epoch: the median over the rounds"), Column("M examples/s"), RATE, INTERVAL,
        Column("x limit", help="time over the least that the measured ceilings allow"),
        Column("x torch", help="time of torch's eager loop over this time"), BOUND,
    ]  # fmt: skip
    made = Table(columns, ", ".join(["an epoch of SGD", *fixed]))
    for before, record in zip([None, *run.records], run.records, strict=False):
        if before and before.kernel != record.kernel:
            made.rule()
        cells: list[str | int] = [
            record.label,
            *(_condition(record, name) for name in varying),
            record.threads,
            record.shape["batch"],
        ]
        if record.failure or not record.median_s:
            made.add(*cells, "failed", style="bad")
            continue
        times = relations.times_limit(record)
        made.add(
            *cells, record.median_s, (record.examples_s or 0) / 1e6, *rates(record)[1:3],
            Cell(None, "not reached") if times is not None and times < 1 else times,
            relations.against(run, "torch", record), record.percent_of_bound,
        )  # fmt: skip
    return made


def rates(record: Record) -> list[Cell]:
    """Time, GFLOPS with their interval, and percent of the peak: the cells of `RATES`."""
    two = " or ".join(map(MEDIAN.write, record.states_s)) if record.states_s else None
    low, high = record.gflops_low, record.gflops_high
    spread = interval(low, high, mark=" ~" if record.noisy else "  ") if low is not None and high is not None else Cell(None)
    # What is faster than the peak shows that the peak was not reached.
    peak = Cell(None, "not reached") if record.beyond_peak else Cell(record.percent_of_peak)
    return [Cell(record.median_s, two), Cell(record.gflops, style="strong"), spread, peak]


def summary(records: Iterable[Record]) -> Table:
    """A row a record, a record's title for its conditions: for a page that holds runs of any kind."""
    made = Table([words("case"), *RATES, BOUND])
    for record in records:
        if record.failure:
            made.add(record.series, f"failed: {record.failure}", style="bad")
        elif record.median_s:
            made.add(record.series, *rates(record), record.percent_of_bound)
    return made


def legend(run: Run) -> Table:
    """How each rung in the run differs from the one before."""
    made = Table([words(""), words("")])
    present = {record.rung for record in run.records}
    for rung, why in RUNGS.items():
        if rung in present:
            made.add(rung, Cell(why, style="faint"))
    return made


def sentences(run: Run) -> list[str]:
    """What failed and why, and what the figures show."""
    return failures(run) + findings(run)


def failures(run: Run) -> list[str]:
    """A sentence on each case that failed."""
    return [f"{record.title}: failed: {record.failure}" for record in run.records if record.failure]


def findings(run: Run) -> list[str]:
    """Speed-ups, rungs that are slower than the one below, the distance from the peak, code paths and noise."""
    passed = [record for record in run.records if record.gflops]
    said = [f"{top.label} is {digits(times)} times as fast as {first.label}." for top, first, times in relations.climbs(run)]
    if slower := relations.slower_than_the_rung_below(passed):
        listed = ", ".join(f"{record.title} than {below.rung}" for record, below in slower)
        said.append(f"Slower here than the rung before: {listed}.")
    top = relations.fastest([record for record in passed if record.workload == "gemm"])
    if top and top.percent_of_peak and top.peak:
        said.append(
            f"The fastest kernel, {top.label} on {_threads(top.threads)}, reaches {digits(relations.rate(top))} GFLOPS:"
            f" {percent(top.percent_of_peak)} % of the {digits(top.peak)} GFLOPS of multiply-adds from registers in the same run."
        )
    said += fused(run) + held_back(passed)
    if split := sum(record.states_s is not None for record in passed):
        said.append(f"{_cases(split)} ran at one of two speeds, depending on where memory was placed: both times are given.")
    if noisy := sum(bool(record.noisy) for record in passed):
        said.append(
            f"~ marks {noisy} noisy row{'s' * (noisy != 1)}: the interval extends more than 5 % from the median. The machine may"
            " be busy."
        )
    if beyond := sum(record.beyond_peak for record in passed):
        said.append(f"The machine was busy: {_cases(beyond)} ran faster than the measured peak, which was therefore not reached.")
    return said


def fused(run: Run) -> list[str]:
    """How many times as fast as torch's loop the fused epoch is, at each batch size."""
    said = []
    epochs = [record for record in run.records if record.kernel == "numba-fused" and record.gflops]
    for record in sorted(epochs, key=lambda each: (each.shape["batch"], each.threads)):
        if times := relations.against(run, "torch", record):
            where = f" on {record.threads} threads" if record.threads > 1 else ""
            batch = record.shape["batch"]
            said.append(f"At batch {batch}{where} the fused epoch is {digits(times)} times as fast as torch's eager loop.")
    return said


def held_back(passed: Sequence[Record]) -> list[str]:
    """A sentence on each library whose code path the environment chose."""
    found = {each.backend: each for each in passed if each.held_back}
    return [
        f"{backend} is held back: {', '.join(each.held_back)} decides which code its library runs"
        + (f", {each.code_path}." if each.code_path else ".")
        for backend, each in found.items()
    ]


def tiling(found: Sequence[relations.Tiled]) -> Table:
    """A row a tile: what it keeps in cache, the cache that this fits, and its rate; the best and the predicted are noted."""
    made = Table([
        words("tile", help="m x n x p of a tile, or the width of a slab"), Column("resident", "B", help="bytes kept in cache"),
        words("fits", help="the smallest cache that holds them"), RATE, INTERVAL, Column("% of best", "%"), words(""),
    ])  # fmt: skip
    for each in found:
        notes = ["measured best"] * each.best + [f"predicted for {name}" for name in each.predicted]
        share = Cell(each.percent_of_best, digits(each.percent_of_best))
        made.add(sides(each.record.tile or {}), each.resident_bytes, each.fits, *rates(each.record)[1:3], share, ", ".join(notes))
    return made


def sides(tile: Mapping[str, int]) -> str:
    """A tile's sizes: "512 x 512 x 40"."""
    return " x ".join(map(str, tile.values()))


def predictions(found: Sequence[relations.Tiled]) -> list[str]:
    """How close each predicted tile comes to the measured best."""
    return [
        f"The tile predicted for {name}, {sides(each.record.tile or {})}, {_beside_the_best(each)}."
        for each in found
        for name in each.predicted
    ]


def _beside_the_best(found: relations.Tiled) -> str:
    if found.best:
        return "is the best measured"
    overlapping = "; their intervals overlap" * found.overlaps_best
    return f"reaches {percent(found.percent_of_best)} % of the measured best{overlapping}"


def _conditions(run: Run) -> tuple[list[str], list[str]]:
    """Names of the conditions that differ within the run, which get a column, and values of those that do not.

    Tiles are one of them only where nothing else tells two rows apart, as in a sweep.
    """
    values = {name: {str(getattr(each, name)) for each in run.records} for name in ("size", "dtype", "device", "cache")}
    varying = [name for name, found in values.items() if len(found) > 1]
    if len({each.title for each in run.records}) < len(run.records):
        varying.append("tile")
    return varying, [value for found in values.values() if len(found) == 1 for value in found]


def _condition(record: Record, name: str) -> str:
    return sides(record.tile or {}) if name == "tile" else str(getattr(record, name))


def _printed(tab: str, record: Record) -> Cell:
    """The book's figure, for the case that the book measured."""
    figure = book.gflops(tab, record.rung) if (record.size, record.dtype) == book.CASE else None
    return Cell(figure, "" if figure is None else digits(figure) if figure else "< 0.001")


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _cases(count: int) -> str:
    return f"{count} case{'s' * (count != 1)}"
