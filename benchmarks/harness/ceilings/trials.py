"""What this CPU can do at most: multiply-adds from registers, and bytes from each level of memory.

Each figure is the best of many short trials, and the trials are spread over a run: a ceiling is what the machine reached
while the kernels were measured, not what a data sheet says. Beside the best stands the median trial of the slowest round: the
further it lies below, the busier the machine was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from statistics import median
from typing import Any, NamedTuple

import numba
import numpy as np

from benchmarks.harness.ceilings import MEMORY_CACHES
from benchmarks.harness.ceilings import latency as chains
from benchmarks.harness.ceilings import throughput as simd
from benchmarks.harness.fields import M
from benchmarks.harness.host.threads import limited_to
from benchmarks.harness.machines import Bandwidth, Ceilings, Latency, Peak
from kernels.arrays import aligned_zeros
from kernels.cpu.caches import caches
from kernels.cpu.tiles import ITEMSIZE
from kernels.cpu.vectors import vectors

TRIAL_S = 2e-3
"""Of a trial at full speed: long beside the start of a parallel loop, short beside the time that a scheduler gives others."""

TRIALS = 10


class Rate(NamedTuple):
    """Of some trials, the best and the median."""

    best: float
    median: float


def measure(threads: list[int]) -> Ceilings:
    """One round of trials of every ceiling, at each of the thread counts."""
    peaks, bandwidths = [], []
    for count in threads:
        with limited_to(count):
            for dtype in ITEMSIZE:
                found = fma_peak(dtype, count)
                peaks.append(Peak(dtype=dtype, threads=count, gflops=found.best / 1e9, gflops_low=found.median / 1e9))
            bandwidths += [_bandwidth(level, size, count) for level, size in _working_sets(count)]
    return Ceilings(peaks=peaks, bandwidths=bandwidths, latencies=[_latency(dtype) for dtype in ITEMSIZE])


def best(one: Ceilings | None, other: Ceilings) -> Ceilings:
    """Of two rounds, figure by figure the better, and the worse of what their median trials did; the other if one is None."""
    if one is None:
        return other
    return Ceilings(
        peaks=[_joined(*pair) for pair in zip(one.peaks, other.peaks, strict=True)],
        bandwidths=[_joined(*pair) for pair in zip(one.bandwidths, other.bandwidths, strict=True)],
        latencies=[
            Latency(dtype=x.dtype, multiply_add_s=min(x.multiply_add_s, y.multiply_add_s), add_s=min(x.add_s, y.add_s))
            for x, y in zip(one.latencies, other.latencies, strict=True)
        ],
    )


def _joined(one: M, other: M) -> M:
    """The larger of each figure, and the smaller of each whose name ends in "_low"."""
    merged = {}
    for name, value in one:
        if isinstance(value, float):
            merged[name] = (min if name.endswith("_low") else max)(value, getattr(other, name))
    return one.model_copy(update=merged)


def _working_sets(threads: int) -> Iterator[tuple[str, int]]:
    """Level and bytes of a working set that it serves.

    Half of a cache that is a core's own, once a thread. A shared cache may in truth be shared with other machines too,
    so no more of it is used than twice what the cores' own hold.
    """
    own = 0
    for level in caches():
        if level.shared_by == 1:
            own = level.size * threads
            yield f"L{level.level}", own // 2
        else:
            yield f"L{level.level}", min(level.size // 2, 2 * own) if own else level.size // 2
    yield "memory", caches()[-1].size * MEMORY_CACHES


def fma_peak(dtype: str, threads: int) -> Rate:
    """Flops a second of independent multiply-adds, by the best width of vector; this process's threads are as many."""
    seed = np.dtype(dtype).type(0.5)  # x <- x / 2 + 1/2 stays near one
    rates = []
    for width in {min(32, vectors().width), vectors().width}:
        flops_a_step = 2 * simd.CHAINS * width // ITEMSIZE[dtype] * threads
        found = _rate(_multiply_adds(width), seed, seed, threads)
        rates.append(Rate(flops_a_step * found.best, flops_a_step * found.median))
    return max(rates)


def _latency(dtype: str) -> Latency:
    """The least seconds a turn of a chain of multiply-adds, and of one of additions."""
    seed = np.dtype(dtype).type(0.5)

    def turn(chain: Callable[[int, Any], Any]) -> float:
        return 1 / _rate(lambda turns, seed, threads: chain(turns, seed), seed, seed, 1).best

    return Latency(dtype=dtype, multiply_add_s=turn(chains.multiply_adds), add_s=turn(chains.additions))


def _bandwidth(level: str, size: int, threads: int) -> Bandwidth:
    """Bytes a second read, and read plus written by a copy of one half of the working set to the other."""
    step = simd.CHAINS * vectors().width // 4 * threads * 2
    data = aligned_zeros((max(1, size // 4 // step) * step,), np.float32, alignment=4096)
    data += 1
    gbs = data.nbytes / 1e9
    share = data[: len(data) // threads]
    read, copy = (_rate(loop, data, share, threads) for loop in (_reads(vectors().width), _copies()))
    return Bandwidth(
        level=level, working_set=data.nbytes, threads=threads, read_gbs=gbs * read.best, copy_gbs=gbs * copy.best,
        read_gbs_low=gbs * read.median, copy_gbs_low=gbs * copy.median,
    )  # fmt: skip


def _rate(loop: Callable[[int, Any, int], Any], operand: Any, share: Any, threads: int) -> Rate:
    """Turns a second of ``loop(turns, operand, threads)`` in `TRIALS` trials, each of the work that takes `TRIAL_S` undisturbed.

    One thread's `share` of the operand tells how much that is, by its best trial. The time of several threads does not: on a busy
    machine it is mostly spent waiting for each other, whatever the work.
    """

    def trial(turns: int, operand: Any, threads: int) -> float:
        start = time.perf_counter()
        loop(turns, operand, threads)
        return turns / (time.perf_counter() - start)

    loop(1, operand, threads)  # compiles, and starts threads
    turns, rate = 1, 0.0
    with limited_to(1):
        while (rate := max(rate, trial(turns, share, 1))) * TRIAL_S > 1.25 * turns:
            turns = max(turns + 1, int(rate * TRIAL_S))
    rates = [trial(turns, operand, threads) for _ in range(TRIALS)]
    return Rate(max(rates), median(rates))


@cache
def _multiply_adds(width: int) -> Any:
    @numba.njit(cache=True, parallel=True)
    def every(steps: int, seed: Any, threads: int) -> Any:
        totals = np.empty(threads, np.float64)
        for thread in numba.prange(threads):
            totals[thread] = simd.multiply_add(steps, seed, width)
        return totals

    return every


@cache
def _reads(width: int) -> Any:
    @numba.njit(cache=True, parallel=True)
    def every(passes: int, data: Any, threads: int) -> Any:
        totals = np.empty(threads, np.float64)
        size = len(data) // threads
        for thread in numba.prange(threads):
            totals[thread] = simd.read(data[thread * size : (thread + 1) * size], passes, width)
        return totals

    return every


@cache
def _copies() -> Any:
    @numba.njit(cache=True, parallel=True)
    def every(passes: int, data: Any, threads: int) -> Any:
        size = len(data) // (2 * threads)
        for thread in numba.prange(threads):
            start = 2 * thread * size
            for _ in range(passes):
                data[start : start + size] = data[start + size : start + 2 * size]

    return every
