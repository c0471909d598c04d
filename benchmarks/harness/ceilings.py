"""What this CPU can do at most: multiply-adds from registers, and bytes from each level of memory.

Each figure is the best of many short trials, and the trials are spread over a run: a ceiling is what the machine reached
while the kernels were measured, not what a data sheet says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numba
import numpy as np

from benchmarks.harness import simd
from benchmarks.harness.records import Bandwidth, Ceilings, Peak
from benchmarks.harness.threads import limited_to
from kernels.arrays import aligned_zeros
from kernels.caches import caches
from kernels.tiles import ITEMSIZE
from kernels.vectors import vectors

TRIAL_S = 5e-3
TRIALS = 4

MEMORY_CACHES = 4
"""A working set of this many times the outermost cache comes from memory."""


def measure(threads: list[int]) -> Ceilings:
    """One round of trials of every ceiling, at each of the thread counts."""
    peaks, bandwidths = [], []
    for count in threads:
        with limited_to(count):
            peaks += [Peak(dtype=dtype, threads=count, gflops=fma_peak(dtype, count) / 1e9) for dtype in ITEMSIZE]
            bandwidths += [_bandwidth(level, size, count) for level, size in _working_sets(count)]
    return Ceilings(peaks=peaks, bandwidths=bandwidths)


def best(one: Ceilings | None, other: Ceilings) -> Ceilings:
    """Figure by figure the larger of two measurements; the other, if there is no one."""
    if one is None:
        return other
    peaks = [max(pair, key=lambda peak: peak.gflops) for pair in zip(one.peaks, other.peaks, strict=True)]
    bandwidths = [
        x.model_copy(update={"read_gbs": max(x.read_gbs, y.read_gbs), "copy_gbs": max(x.copy_gbs, y.copy_gbs)})
        for x, y in zip(one.bandwidths, other.bandwidths, strict=True)
    ]
    return Ceilings(peaks=peaks, bandwidths=bandwidths)


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


def fma_peak(dtype: str, threads: int) -> float:
    """Flops a second of independent multiply-adds, by the best width of vector; this process's threads are as many."""
    seed = np.dtype(dtype).type(0.5)  # x <- x / 2 + 1/2 stays near one
    rates = []
    for width in {min(32, vectors().width), vectors().width}:
        flops_a_step = 2 * simd.CHAINS * width // ITEMSIZE[dtype] * threads
        rates.append(flops_a_step * _best_rate(_multiply_adds(width), seed, threads, first=10_000))
    return max(rates)


def _bandwidth(level: str, size: int, threads: int) -> Bandwidth:
    """Bytes a second read, and read plus written by a copy of one half of the working set to the other."""
    step = simd.CHAINS * vectors().width // 4 * threads * 2
    data = aligned_zeros((max(1, size // 4 // step) * step,), np.float32, alignment=4096)
    data += 1
    read_rate = data.nbytes * _best_rate(_reads(vectors().width), data, threads)
    copy_rate = data.nbytes * _best_rate(_copies(), data, threads)
    return Bandwidth(level=level, working_set=data.nbytes, threads=threads, read_gbs=read_rate / 1e9, copy_gbs=copy_rate / 1e9)


def _best_rate(loop: Callable[[int, Any, int], Any], operand: Any, threads: int, first: int = 1) -> float:
    """Turns a second of ``loop(turns, operand, threads)``, the most of some trials of about `TRIAL_S` each."""
    loop(first, operand, threads)
    turns, best = first, 0.0
    for _ in range(TRIALS):
        start = time.perf_counter()
        loop(turns, operand, threads)
        rate = turns / (time.perf_counter() - start)
        best = max(best, rate)
        turns = max(1, int(rate * TRIAL_S))
    return best


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
