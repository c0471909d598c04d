"""What several ranks are compared with: one process on the same work (strong), and on an R-th of it (weak)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.harness.records import Record, Run
from minisgd.common.intervals import Interval, ratio_interval

ENOUGH = 1.5
"""Times as fast as one that two threads must be. Below that the machine has no two cores to give, and nothing is concluded."""


class Pair(NamedTuple):
    """Several workers, and one.

    Parameters
    ----------
    several, one : Record
    workers : int
        Ranks, or threads in their place.
    speedup : (float, float, float)
        How many times as fast as one, and its interval, round by round. In weak scaling, 1 is what is hoped for.
    efficiency : float
        Of what so many workers might do, 0 to 1.
    """

    several: Record
    one: Record
    workers: int
    speedup: Interval
    efficiency: float


def strong(run: Run) -> list[Pair]:
    """Every record of several workers on the work of one."""
    return [_pair(each, one, workers(each, one)) for each in _passed(run) if (one := _alone(run, each, each.shape))]


def weak(run: Run) -> list[Pair]:
    """Every record of several ranks on as much work a rank as one has."""
    found = []
    for each in _passed(run):
        if each.ranks and (one := _alone(run, each, _part(each))):
            found.append(_pair(each, one, 1)._replace(workers=each.ranks.count))
    return found


def of_threads(run: Run, several: Record) -> Interval | None:
    """How many times as fast ranks are as so many threads of one process, and its interval; None if those were not measured."""
    count = several.threads * (several.ranks.count if several.ranks else 1)
    for each in _passed(run):
        same = (each.kernel, each.shape, each.dtype) == (several.kernel, several.shape, several.dtype)
        if same and each.ranks is None and each.threads == count:
            return ratio_interval(each.samples_s or [], several.samples_s or [])
    return None


def two_threads(run: Run) -> Interval | None:
    """How many times as fast as one thread two were, on the largest product that tells; None if it was not measured."""
    pairs = [pair for pair in strong(run) if pair.several.workload == "gemm" and pair.several.ranks is None and pair.workers == 2]
    return max(pairs, key=lambda pair: pair.one.flops or 0).speedup if pairs else None


def starved(run: Run) -> bool:
    """Whether the machine had no two cores to give."""
    measured = two_threads(run)
    return measured is None or measured[0] < ENOUGH


def workers(several: Record, one: Record) -> int:
    """Ranks, or threads in their place."""
    return several.ranks.count if several.ranks else several.threads // one.threads


def _alone(run: Run, several: Record, shape: Mapping[str, int]) -> Record | None:
    """One process on a shape: the product's by the same kernel; the epoch's by the fused step, which no rank can do."""
    for each in _passed(run):
        same = each.shape == shape and (each.workload, each.dtype) == (several.workload, several.dtype)
        threads = each.threads == several.threads if several.ranks else each.threads < several.threads
        if same and threads and each.ranks is None and (each.workload == "sgd" or each.kernel == several.kernel):
            return each
    return None


def _part(several: Record) -> dict[str, int]:
    """The shape that one process has where each of several ranks has as much."""
    count = several.ranks.count if several.ranks else 1
    cut = ("p",) if several.workload == "gemm" else ("n", "batch")
    return several.shape | {name: several.shape[name] // count for name in cut if several.shape[name] % count == 0}


def _pair(several: Record, one: Record, workers: int) -> Pair:
    speedup = ratio_interval(one.samples_s or [], several.samples_s or [])
    return Pair(several, one, workers, speedup, speedup[0] / workers)


def _passed(run: Run) -> list[Record]:
    return [each for each in run.records if each.gflops and each.samples_s]
