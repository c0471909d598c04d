"""The machine, its ceilings and its balance, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PureWindowsPath
from typing import Any

from benchmarks.harness import relations
from benchmarks.harness.machines import Ceilings, Machine
from kernels.cpu.tiles import ITEMSIZE
from minisgd.common.tables.description import Column, Table, words
from minisgd.common.units import digits, size

THREADS = Column("threads")
SLOWEST = "the median trial of the slowest round"


def machine(here: Machine) -> Iterator[Table | str]:
    """What the machine is; then the ceilings of each device, with a sentence on the balance for each type."""
    yield facts(here)
    for device, ceilings in here.ceilings.items():
        yield peaks(ceilings, f"ceilings of the {device}, measured")
        if ceilings.latencies:
            yield latencies(ceilings)
        yield bandwidths(ceilings)
        yield from balances(ceilings)


def facts(here: Machine) -> Table:
    """CPU, memory, caches, GPU, system and libraries, a row each."""
    made = Table([words(""), words("")], "hardware, system and libraries")
    allowed = "" if here.quota is None else f" (a quota of {here.quota:g})"
    made.add("CPU", f"{here.cpu}, {here.cores} cores{allowed}, {here.vectors}")
    made.add("memory", size(here.memory_bytes))
    for level in here.caches:
        shared = f"shared by {level.shared_by}" if level.shared_by > 1 else "one a core"
        shape = f"{size(level.size)}, {level.ways} ways, lines of {level.line} B"
        made.add(f"L{level.level} cache", f"{shape}, {shared} (from {level.source})")
    made.add("GPU", here.gpu or "none that torch sees")
    made.add("system", f"{here.os}, Python {here.python}")
    made.add("libraries", ", ".join(f"{name} {version}" for name, version in here.libraries.items()))
    for blas in here.blas:
        made.add("BLAS, OpenMP", f"{blas.label}, {blas.threads} threads ({file_name(blas.path)})")
    return made


def peaks(ceilings: Ceilings, title: str) -> Table:
    """Multiply-adds from registers, by type and threads."""
    best, slowest = Column("GFLOPS", "GFLOPS", help="the best trial"), Column("slowest round", "GFLOPS", help=SLOWEST)
    made = Table([words("FMA peak"), THREADS, best, slowest], title)
    for peak in ceilings.peaks:
        made.add(peak.dtype, peak.threads, peak.gflops, peak.gflops_low)
    return made


def latencies(ceilings: Ceilings) -> Table:
    """Seconds until an operation's result can be used."""
    columns = [words("latency"), Column("multiply-add", "s"), Column("addition", "s")]
    made = Table(columns, "time until the result of an operation can be used")
    for latency in ceilings.latencies:
        made.add(latency.dtype, latency.multiply_add_s, latency.add_s)
    return made


def bandwidths(ceilings: Ceilings) -> Table:
    """10^9 bytes a second from each level of memory."""
    slowest = Column("slowest round", "GB/s", help=SLOWEST)
    made = Table([
        words("memory"), THREADS, Column("working set", "B"), Column("read GB/s", "GB/s", help="the best trial"), slowest,
        Column("copy GB/s", "GB/s", help="bytes read and bytes written"), slowest,
    ], "bandwidth of each level of memory")  # fmt: skip
    for each in ceilings.bandwidths:
        rates = each.read_gbs, each.read_gbs_low, each.copy_gbs, each.copy_gbs_low
        made.add(each.level, each.threads, each.working_set, *rates)
    return made


def balances(ceilings: Ceilings) -> Iterator[str]:
    """How much faster multiply-adds could take in operands than the memory delivers them, for each type and thread count."""
    for peak in ceilings.peaks:
        served = ceilings.bandwidth("memory", peak.threads)
        if served and peak.dtype in ITEMSIZE:
            yield balance(peak.dtype, peak.threads, peak.gflops, served.read_gbs)


def balance(dtype: str, threads: int, gflops: float, read_gbs: float) -> str:
    """The balance in a sentence."""
    taken, times = relations.balance(dtype, gflops, read_gbs)
    return (
        f"{dtype}, {threads} thread{'s'[: threads > 1]}: multiply-adds could take in {digits(taken)} GB/s, memory delivers"
        f" {digits(read_gbs)}: each element must be used {digits(times)} times."
    )


def file_name(path: Any) -> Any:
    """The last part of a path of any system; anything but text is returned as it is."""
    return PureWindowsPath(path).name or path if isinstance(path, str) else path
