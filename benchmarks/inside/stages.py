"""The ladder inside `numba/full`: the same loops and packing, at first without what each stage then brings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

import numpy as np
from numba import types

from benchmarks.harness import timing
from benchmarks.harness.ceilings import trials as ceilings
from benchmarks.harness.host.threads import limited_to
from benchmarks.harness.machines import BEYOND
from kernels.accuracy import bound, error
from kernels.cpu.tiles import ITEMSIZE
from kernels.jit.pointers import address
from kernels.packed import microkernel
from kernels.packed.gemm import Matrix, compiled, pool, workspace
from kernels.packed.plan import Plan

NEVER = 1 << 40
TURN_S = 20e-3


@dataclass(frozen=True)
class Stage:
    """A stage, what it adds, its plan, and its threads."""

    name: str
    adds: str
    plan: Plan
    threads: int


@dataclass(frozen=True)
class Measured:
    """GFLOPS of a stage: the median of its turns, and their quartiles; and percent of what the peak was at each turn.

    No percentage if the peak was not reached: the stage was faster.
    """

    stage: Stage
    gflops: float
    low: float
    high: float
    percent_of_peak: float | None


def stages(dtype: str, m: int, n: int, p: int, threads: int) -> list[Stage]:
    """From one row by one vector up to what `numba/full` does."""
    full = compiled(np.dtype(dtype)).plan
    one_by_one = 3  # registers: a sum, a vector of b, an element of a
    naive = microkernel.compiled(full.lanes, 1, one_by_one, full.early, 0, getattr(types, dtype))
    every = (n + 8) * (p + full.mr) * ITEMSIZE[dtype]
    whole = {"kc": NEVER, "serial": 0, "direct_bytes": -1, "l3_from_bytes": 0, "block_bytes": every}
    unpacked = full._replace(**whole, rows_to_pack_for=NEVER, strip=NEVER)
    packed = full._replace(**whole, rows_to_pack_for=0, scattered_bytes=-1)
    made = [
        Stage("naive", "one row by one vector: each multiply-add waits for the one before",
              unpacked._replace(microkernel=address(naive), registers=one_by_one, mr=full.lanes), 1),
        Stage("+ registers", "a tile of sums that do not wait for each other, few loads for each", unpacked, 1),
        Stage("+ packing", "b copied into micropanels: whole cache lines, one after the other", packed, 1),
        Stage("+ tile model", "kc panels and blocks that stay in the caches", full._replace(serial=0), 1),
    ]  # fmt: skip
    if threads > 1:
        made.append(Stage("+ threads", f"{threads} threads with columns of their own", full._replace(serial=0), threads))
    return made


def measure(
    chosen: list[Stage], dtype: str, m: int, n: int, p: int, turns: int, advance: Callable[[str], None]
) -> Iterator[Measured]:
    """Alternate the stages, and the multiply-adds that set the peak, in this process."""
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p)))
    peaks: dict[int, list[float]] = {stage.threads: [] for stage in chosen}

    def measure_peaks() -> None:
        for threads, found in peaks.items():
            with limited_to(threads):
                found.append(ceilings.fma_peak(dtype, threads).best / 1e9)
        timing.settle()

    rates = alternate([(stage.plan, stage.threads) for stage in chosen], a, b, turns, TURN_S, advance, measure_peaks)
    for stage, found in zip(chosen, rates, strict=True):
        low, middle, high = quantiles(found, n=4)
        share = median(rate / peak for rate, peak in zip(found, peaks[stage.threads], strict=True))
        yield Measured(stage, middle, low, high, 100 * share if share <= BEYOND else None)


def alternate(
    variants: list[tuple[Plan, int]], a: Matrix, b: Matrix, turns: int, turn_s: float, advance: Callable[[str], None],
    begin: Callable[[], None] = lambda: None,
) -> list[list[float]]:  # fmt: skip
    """GFLOPS of plans and their threads, each checked against float64 first, in turns of so many seconds.

    `begin` is called before each turn.
    """
    multiply, out = compiled(a.dtype).multiply, np.empty((a.shape[0], b.shape[1]), a.dtype)
    workspaces = [workspace(plan, threads) for plan, threads in variants]
    calls = [
        partial(multiply, a, b, out, 1.0, 0.0, memory.ctypes.data, threads)
        for memory, (_, threads) in zip(workspaces, variants, strict=True)
    ]
    rates: list[list[float]] = [[] for _ in variants]
    for turn in range(turns + 1):
        if turn > 0:
            begin()
        for call, (_, threads), found in zip(calls, variants, rates, strict=True):
            pool.grow(threads)
            if turn == 0:
                out.fill(np.nan)
                call()
                if not error(a, b, out) <= bound(a.shape[1], a.dtype.name):
                    raise AssertionError("a plan gives a wrong product")
                continue
            count, start = 0, time.perf_counter()
            while (took := time.perf_counter() - start) < turn_s:
                call()
                count += 1
            found.append(2 * a.size * b.shape[1] * count / took / 1e9)
            advance("")
    return rates
