"""How the records of a run stand to each other, to their limit, and tiles to the caches that they were predicted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.harness.records import Record, Run
from kernels.cpu.caches import Cache
from kernels.cpu.tiles import ITEMSIZE
from kernels.declared import TILES
from kernels.registry import RUNGS
from kernels.rungs.loop_tiles import resident_bytes

ALIKE = ("backend", "shape", "dtype", "device", "threads", "cache", "layout")
"""Conditions that two rungs share when one is compared with the other."""


def rate(record: Record) -> float:
    """GFLOPS; 0 where nothing was measured."""
    return record.gflops or 0.0


def fastest(records: Sequence[Record]) -> Record | None:
    """The record of the highest rate; None of no records."""
    return max(records, key=rate, default=None)


def first_rung(run: Run, record: Record) -> Record | None:
    """The elementwise record that a rate is compared with: same backend, dtype, device and cache, and if possible same size."""
    same = ("workload", "backend", "dtype", "device", "cache")
    alike = [
        each
        for each in run.records
        if each.rung == "elementwise" and each.gflops and all(getattr(each, x) == getattr(record, x) for x in same)
    ]
    return max(alike, key=lambda each: each.shape == record.shape, default=None)


def speedup(run: Run, record: Record) -> float | None:
    """How many times the rate of its first rung a record has; None where that was not measured."""
    first = first_rung(run, record)
    return rate(record) / first.gflops if first and first.gflops else None


def climbs(run: Run) -> list[tuple[Record, Record, float]]:
    """The fastest kernel of each backend, its first rung, and the ratio of their rates."""
    found = []
    passed = [record for record in run.records if record.gflops]
    for backend in dict.fromkeys(record.backend for record in passed):
        mine = [record for record in passed if record.backend == backend]
        top, first = max(mine, key=rate), first_rung(run, mine[0])
        if first and first.gflops and top.kernel != first.kernel:
            found.append((top, first, rate(top) / first.gflops))
    return found


def slower_than_the_rung_below(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Records that are slower than the rung below on the same product, by intervals that do not overlap; and that rung's."""
    found = []
    for record in records:
        if record.rung not in RUNGS or record.chosen_tile:
            continue
        rungs = list(RUNGS)[: list(RUNGS).index(record.rung)]
        below = [each for each in records if each.rung in rungs and all(getattr(each, x) == getattr(record, x) for x in ALIKE)]
        last = max(below, key=lambda each: rungs.index(each.rung), default=None)
        if last and (record.gflops_high or 0) < (last.gflops_low or 0):
            found.append((record, last))
    return found


def times_limit(record: Record) -> float | None:
    """The time of an epoch over its limit. Below 1, the ceilings that the limit follows from were not reached."""
    return record.median_s / record.limit_s if record.median_s and record.limit_s else None


def against(run: Run, step: str, record: Record) -> float | None:
    """How many times as long as an epoch another step took, under the same conditions; None where it was not measured."""

    def conditions(each: Record) -> tuple[str, str, int, int]:
        return each.size, each.dtype, each.shape["batch"], each.threads

    other = [each.median_s for each in run.records if each.kernel == step and conditions(each) == conditions(record)]
    return other[-1] / record.median_s if other and other[-1] and record.median_s else None


def has_tile(record: Record) -> bool:
    """Whether a record has a tile of the CPU's kinds, for which there is a model: a slab, a tile of loops, a block of b."""
    return bool(record.tile) and (record.rung in TILES or "kc" in (record.tile or {}))


@dataclass(frozen=True)
class Tiled:
    """A tile that was measured.

    Parameters
    ----------
    record : Record
    resident_bytes : int
        What the tile keeps in cache.
    fits : str
        The smallest cache that this fits, or memory.
    percent_of_best : float
    best : bool
        Whether it is the best.
    predicted : list of str
        Names of the caches that it was predicted for.
    overlaps_best : bool
        Whether it is another one whose interval overlaps that of the best: the two cannot be told apart.
    """

    record: Record
    resident_bytes: int
    fits: str
    percent_of_best: float
    best: bool
    predicted: list[str]
    overlaps_best: bool


def tiled(records: Sequence[Record], predicted: Mapping[str, Mapping[str, int]], caches: Sequence[Cache]) -> list[Tiled]:
    """Each tile beside the best one, in the order of the records.

    Parameters
    ----------
    records : sequence of Record
        One kernel on one shape, a record for each tile.
    predicted : mapping of str to tile
        By cache.
    caches : sequence of Cache
        Of the machine that the records are from, innermost first.
    """
    best = max(records, key=rate)
    found = []
    for record in records:
        tile = record.tile or {}
        resident = resident_bytes(record.kernel, tile, record.dtype, record.shape["n"])
        found.append(
            Tiled(
                record,
                resident,
                fits=next((f"L{level.level}" for level in caches if resident <= level.size), "memory"),
                percent_of_best=100 * rate(record) / (best.gflops or 1),
                best=record is best,
                predicted=[name for name, expected in predicted.items() if tile == expected],
                overlaps_best=record is not best and (record.gflops_high or 0) >= (best.gflops_low or 0),
            )
        )
    return found


def balance(dtype: str, gflops: float, read_gbs: float) -> tuple[float, float]:
    """The machine's balance: 10^9 bytes a second that multiply-adds could take in, and how often each byte must be used.

    A multiply-add is two flops and takes two elements.

    Examples
    --------
    >>> balance("float32", 100.0, 10.0)
    (400.0, 40.0)
    """
    taken = gflops * ITEMSIZE[dtype]
    return taken, taken / read_gbs
