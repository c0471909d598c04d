"""Runs and machines as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

from rich.table import Table
from rich.text import Text

from benchmarks.harness.records import Machine, Record, Run
from kernels.cpu.caches import caches
from kernels.cpu.tiles import ITEMSIZE
from kernels.registry import RUNGS
from kernels.rungs.loop_tiles import resident_bytes
from minisgd import published as book
from minisgd.common.terminal import styled, table
from minisgd.common.units import digits, percent, seconds, size


def results(run: Run, tabs: Iterable[str] = ()) -> Table:
    """A row a record; `tabs` are those of the book whose figures are shown beside."""
    tabs = tuple(tab for tab in tabs if any(_printed(tab, record) for record in run.records))
    varying, fixed = _conditions_apart(run)
    made = table(
        "kernel", *varying, "threads", "median", "GFLOPS", "interval", "% peak", "x first",
        *(f"book {tab}" for tab in tabs), "% bound", title=", ".join(fixed),
    )  # fmt: skip
    for before, record in zip([None, *run.records], run.records, strict=False):
        if before and before.backend != record.backend:
            made.add_section()
        cells = [record.label, *(str(getattr(record, name)) for name in varying), str(record.threads)]
        if record.failure:
            made.add_row(*cells, "failed", style="red")
            continue
        printed = (_printed(tab, record) for tab in tabs)
        made.add_row(*cells, *_speed(record, first_rung(run, record)), *printed, _error(record))
    return made


def epochs(run: Run) -> Table:
    """A row an epoch of SGD: its time, what that makes, and how it stands to the limit and to the framework."""
    varying, fixed = _conditions_apart(run)
    made = table(
        "step", *varying, "threads", "batch", "epoch", "M examples/s", "GFLOPS", "interval", "x limit", "x torch", "% bound",
        title=", ".join(["an epoch of SGD", *fixed]),
    )  # fmt: skip
    torch = {_conditions(record): record.median_s for record in run.records if record.kernel == "torch"}
    for before, record in zip([None, *run.records], run.records, strict=False):
        if before and before.kernel != record.kernel:
            made.add_section()
        cells = [
            record.label,
            *(str(getattr(record, name)) for name in varying),
            str(record.threads),
            str(record.shape["batch"]),
        ]
        if record.failure or not record.median_s:
            made.add_row(*cells, "failed", style="red")
            continue
        framework = torch.get(_conditions(record))
        made.add_row(
            *cells,
            seconds(record.median_s),
            digits((record.examples_s or 0) / 1e6),
            styled(digits(record.gflops or 0), "bold"),
            interval(record),
            _over_limit(record),
            digits(framework / record.median_s) if framework else "",
            _error(record),
        )
    return made


def _over_limit(record: Record) -> str:
    """Times the limit. An epoch that took less shows that the ceilings it follows from were not reached."""
    if not record.limit_s or not record.median_s:
        return ""
    times = record.median_s / record.limit_s
    return digits(times) if times >= 1 else "not reached"


def _conditions_apart(run: Run) -> tuple[list[str], list[str]]:
    """Names of the conditions that differ within the run, which get a column, and values of those that do not."""
    values = {name: {str(getattr(each, name)) for each in run.records} for name in ("size", "dtype", "device", "cache")}
    varying = [name for name, found in values.items() if len(found) > 1]
    return varying, [value for found in values.values() if len(found) == 1 for value in found]


def _conditions(record: Record) -> tuple[str, str, int, int]:
    return record.size, record.dtype, record.shape["batch"], record.threads


def first_rung(run: Run, record: Record) -> Record | None:
    """The elementwise record that a record's rate is compared with: same backend, dtype, device and cache, one thread."""
    same = ("workload", "backend", "dtype", "device", "cache")
    alike = [
        each
        for each in run.records
        if each.rung == "elementwise" and each.gflops and all(getattr(each, x) == getattr(record, x) for x in same)
    ]
    return max(alike, key=lambda each: each.shape == record.shape, default=None)


def _speed(record: Record, first: Record | None) -> list[str | Text]:
    return [
        median(record),
        styled(digits(record.gflops or 0), "bold"),
        interval(record),
        of_peak(record),
        digits((record.gflops or 0) / first.gflops) if first and first.gflops else "",
    ]


def median(record: Record) -> str:
    """Seconds of a call; both, where its rounds fall into two states."""
    return " or ".join(map(seconds, record.states_s or (record.median_s or 0,)))


def of_peak(record: Record) -> str:
    """Percent of the peak; what is faster shows that the peak was not reached."""
    if record.beyond_peak:
        return "not reached"
    return "" if record.percent_of_peak is None else percent(record.percent_of_peak)


def interval(record: Record) -> str:
    """GFLOPS from the low to the high end, marked if the record is noisy."""
    return f"{digits(record.gflops_low or 0)}-{digits(record.gflops_high or 0)} {'~' if record.noisy else ' '}"


def _error(record: Record) -> str:
    return percent(100 * (record.error or 0) / record.error_bound) if record.error_bound else ""


def _printed(tab: str, record: Record) -> str:
    """The book's figure, beside what the book measured."""
    figure = book.gflops(tab, record.rung) if (record.size, record.dtype) == book.CASE else None
    return "" if figure is None else digits(figure) if figure else "< 0.001"


def legend(run: Run) -> Table:
    """What each rung in the run does otherwise than the one before."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(no_wrap=True)
    made.add_column()
    present = {record.rung for record in run.records}
    for rung, why in RUNGS.items():
        if rung in present:
            made.add_row(rung, styled(why, "dim"))
    return made


def sentences(run: Run) -> list[str]:
    """What the run says, in words: what failed and why, the climb and where it does not rise, the top, and what is noisy."""
    said = [
        f"{each.kernel} {each.size} {each.dtype}, threads: {each.threads}: failed: {each.failure}"
        for each in run.records
        if each.failure
    ]
    passed = [record for record in run.records if record.gflops]
    for backend in dict.fromkeys(record.backend for record in passed):
        mine = [record for record in passed if record.backend == backend]
        first, top = first_rung(run, mine[0]), max(mine, key=lambda record: record.gflops or 0)
        if first and first.gflops and top.gflops and top.kernel != first.kernel:
            said.append(f"{top.label} is {digits(top.gflops / first.gflops)} times as fast as {first.label}.")
    if lower := _below_the_rung_before(passed):
        said.append(f"Slower here than the rung before: {', '.join(lower)}.")
    fastest = max((record for record in passed if record.workload == "gemm"), key=lambda each: each.gflops or 0, default=None)
    if fastest and fastest.percent_of_peak and fastest.peak:
        said.append(
            f"The fastest, {fastest.label} on {fastest.threads} thread{'s'[: fastest.threads > 1]}, reaches"
            f" {digits(fastest.gflops or 0)} of the {digits(fastest.peak)} GFLOPS that this machine's multiply-adds did from"
            " registers in the same minutes."
        )
    torch = {
        _conditions(record): record.median_s or 0 for record in passed if record.kernel == "torch" and record.workload == "sgd"
    }
    fused = {_conditions(record): record.median_s or 1 for record in passed if record.kernel == "numba-fused"}
    for at in sorted(torch.keys() & fused.keys()):
        where = f" on {at[3]} threads" if at[3] > 1 else ""
        times = digits(torch[at] / fused[at])
        said.append(f"At batch {at[2]}{where} the fused epoch is {times} times as fast as torch's eager loop.")
    said += held_back(passed)
    if split := sum(record.states_s is not None for record in passed):
        said.append(f"{split} case{'s' * (split != 1)} ran in one of two states, by where memory lay: both times are given.")
    if noisy := sum(bool(record.noisy) for record in passed):
        said.append(f"~ marks {noisy} noisy row{'s' * (noisy != 1)}: the interval reaches further than 5 %. Is the machine busy?")
    if beyond := sum(record.beyond_peak for record in passed):
        said.append(
            f"The machine was busy: {beyond} case{'s' * (beyond != 1)} ran faster than its multiply-adds did from registers, so"
            " the peak was not reached."
        )
    return said


def _below_the_rung_before(records: Sequence[Record]) -> list[str]:
    """Kernels that are slower than their backend's rung before, on the same product, by intervals that do not overlap."""
    same = ("backend", "shape", "dtype", "device", "threads", "cache", "layout")
    found = []
    for record in records:
        if record.rung not in RUNGS or record.chosen_tile:
            continue
        rungs = list(RUNGS)[: list(RUNGS).index(record.rung)]
        before = [each for each in records if each.rung in rungs and all(getattr(each, x) == getattr(record, x) for x in same)]
        last = max(before, key=lambda each: rungs.index(each.rung), default=None)
        if last and (record.gflops_high or 0) < (last.gflops_low or 0):
            found.append(f"{record.title} than {last.rung}")
    return found


def held_back(passed: Sequence[Record]) -> list[str]:
    """A sentence on each library whose code was chosen by the environment."""
    found = {each.backend: each for each in passed if each.held_back}
    return [
        f"{backend} is held back: {', '.join(each.held_back)} decides which code its library runs"
        + (f", {each.code_path}." if each.code_path else ".")
        for backend, each in found.items()
    ]


def tiling(records: Sequence[Record], predicted: Mapping[str, Mapping[str, int]]) -> Table:
    """A row a tile: what it keeps in cache, the cache that this fits, and its rate; the best and the predicted are noted."""
    best = max(records, key=lambda record: record.gflops or 0)
    made = table("tile", "resident", " fits", "GFLOPS", "interval", "% of best", "")
    for record in records:
        tile = record.tile or {}
        resident = resident_bytes(record.kernel, tile, record.dtype, record.shape["n"])
        notes = ["measured best"] if record is best else []
        notes += [f"predicted for {name}" for name, expected in predicted.items() if tile == expected]
        made.add_row(
            sides(tile),
            size(resident),
            next((f"L{level.level}" for level in caches() if resident <= level.size), "memory"),
            digits(record.gflops or 0),
            interval(record),
            digits(100 * (record.gflops or 0) / (best.gflops or 1)),
            ", ".join(notes),
        )
    return made


def sides(tile: Mapping[str, int]) -> str:
    """A tile's sizes: "512 x 512 x 40"."""
    return " x ".join(map(str, tile.values()))


def predictions(records: Sequence[Record], predicted: Mapping[str, Mapping[str, int]]) -> list[str]:
    """How near each predicted tile comes to the measured best, and whether their intervals tell the two apart."""
    best = max(records, key=lambda record: record.gflops or 0)
    said = []
    for name, tile in predicted.items():
        for record in records:
            if record.tile == tile:
                reached = percent(100 * (record.gflops or 0) / (best.gflops or 1))
                apart = record is best or (record.gflops_high or 0) < (best.gflops_low or 0)
                unsure = "" if apart else "; their intervals overlap"
                said.append(f"The tile predicted for {name}, {sides(tile)}, reaches {reached} % of the measured best{unsure}.")
    return said


def machine(here: Machine) -> Iterable[Table | str]:
    """The machine, its ceilings, and the balance between them."""
    facts = table("this machine", " ")
    facts.show_header = False
    allowed = "" if here.quota is None else f" (a quota of {here.quota:g})"
    facts.add_row("CPU", f"{here.cpu}, {here.cores} cores{allowed}, {here.vectors}")
    facts.add_row("memory", size(here.memory_bytes))
    for level in here.caches:
        shared = f"shared by {level.shared_by}" if level.shared_by > 1 else "one a core"
        told = f"{size(level.size)}, {level.ways} ways, lines of {level.line} B, {shared} (from {level.source})"
        facts.add_row(f"L{level.level} cache", told)
    facts.add_row("GPU", here.gpu or "none that torch sees")
    facts.add_row("system", f"{here.os}, Python {here.python}")
    facts.add_row("libraries", ", ".join(f"{name} {version}" for name, version in here.libraries.items()))
    for blas in here.blas:
        facts.add_row("BLAS, OpenMP", f"{blas.label}, {blas.threads} threads ({file_name(blas.path)})")
    yield facts
    for device, ceilings in here.ceilings.items():
        peaks = table("FMA peak", "threads", "GFLOPS", "slowest round", title=f"ceilings of the {device}, measured")
        for peak in ceilings.peaks:
            peaks.add_row(peak.dtype, str(peak.threads), digits(peak.gflops), _known(peak.gflops_low))
        yield peaks
        if ceilings.latencies:
            waits = table("latency", "multiply-add", "addition")
            for latency in ceilings.latencies:
                waits.add_row(latency.dtype, seconds(latency.multiply_add_s), seconds(latency.add_s))
            yield waits
        memory = table("memory", "threads", "working set", "read GB/s", "slowest round", "copy GB/s", "slowest round")
        for each in ceilings.bandwidths:
            rates = digits(each.read_gbs), _known(each.read_gbs_low), digits(each.copy_gbs), _known(each.copy_gbs_low)
            memory.add_row(each.level, str(each.threads), size(each.working_set), *rates)
        yield memory
        for peak in ceilings.peaks:
            served = ceilings.bandwidth("memory", peak.threads)
            if served and peak.dtype in ITEMSIZE:
                yield balance(peak.dtype, peak.threads, peak.gflops, served.read_gbs)


def file_name(path: Any) -> Any:
    """The last part of a path of any system; what is none stays as it is."""
    return PureWindowsPath(path).name or path if isinstance(path, str) else path


def _known(figure: float | None) -> str:
    return "" if figure is None else digits(figure)


def balance(dtype: str, threads: int, gflops: float, read_gbs: float) -> str:
    """The textbook's balance: how much faster the arithmetic could eat than the memory serves."""
    eaten = gflops * ITEMSIZE[dtype]  # a multiply-add is two flops, and eats two fresh elements
    return (
        f"{dtype}, {threads} thread{'s'[: threads > 1]}: multiply-adds could eat {digits(eaten)} GB/s of fresh operands;"
        f" memory serves {digits(read_gbs)}. Each element fetched must be used {digits(eaten / read_gbs)} times."
    )
