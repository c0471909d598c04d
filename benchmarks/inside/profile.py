"""Where the time of a product by `numba/full` goes: what the peak asks for, and what each part takes beyond it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from math import prod
from statistics import median
from timeit import timeit

import numba
import numpy as np
from numba import types

from benchmarks.harness import timing
from benchmarks.harness.ceilings import trials as ceilings
from benchmarks.harness.host.threads import limited_to
from kernels.arrays import aligned_zeros
from kernels.jit.memory import size_of
from kernels.jit.pointers import address, call
from kernels.packed.gemm import compiled, gemm, workspace
from kernels.packed.loops import k_chunk
from kernels.packed.microkernel import MAX_NR, new_tile, signature
from kernels.packed.plan import PLAN, ceil_div, microtile, plan_at, split

PARTS = {
    "multiply-adds": "all of them, at the peak",
    "microkernel": "what whole tiles take beyond that with all operands in L1: loads, and each tile's first and last steps",
    "edges": "what tiles take beyond that because they are not whole",
    "packing": "b copied into panels, and with it the loops and the call",
    "memory": "the rest: a, b and c on their way from further out",
    "all threads": "what they reach of the peak of all, of what one reaches of the peak of one",
}
"""The parts of the time on one thread, and what each is; last, how much of one thread's share of the peak all threads keep.

A virtual machine's processors may for seconds be two halves of one core. So the peak is timed beside the product on all, too.
"""

TURN_S = 20e-3
REPEATED_S = 1e-3
"""The microkernel alone is called so long from compiled code."""
CALLS, CALL_TURNS = 5_000, 20


def profile(dtype: str, m: int, n: int, p: int, threads: int, turns: int, advance: Callable[[str], None]) -> dict[str, float]:
    """Return the percent of each of `PARTS`, the median of so many turns.

    Each turn times the peak, the product, its microkernel alone, and the product with an empty microkernel. The last follows a
    whole product each time, so that it finds the caches as a product leaves them.
    """
    random, (multiply, plan) = np.random.default_rng(0), compiled(np.dtype(dtype))
    flops = 2 * m * n * p
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p)))
    out, one, element = np.empty((m, p), dtype), np.ones(1, dtype)[0], getattr(types, dtype)
    nothing = numba.njit(signature(element))(_nothing)
    memory = workspace(plan, 1)
    at, (record,) = memory.ctypes.data, memory[: PLAN.itemsize].view(PLAN)
    in_l1 = [aligned_zeros(shape, dtype) for shape in ((MAX_NR, plan.kc), (plan.kc, plan.mr), (MAX_NR, plan.mr))]
    whole = [-(-length // side) * side for length, side in zip((m, p), _microtile(at, m, p), strict=True)]
    product = partial(multiply, a, b, out, 1.0, 0.0, at, 1)

    def then_without_microkernel() -> None:
        record["microkernel"] = plan.microkernel
        product()
        record["microkernel"] = address(nothing)

    def tiles(ideal: float, rows: int, columns: int) -> float:
        """Seconds of the microkernel's calls of a product."""
        again = max(1, int(REPEATED_S / ideal))
        return _seconds(partial(_tiles, again, rows, n, columns, at, *(each.ctypes.data for each in in_l1), one)) / again

    shares: dict[str, list[float]] = {part: [] for part in PARTS}
    for _ in range(turns):
        advance(f"{dtype}, {m} x {n} x {p}")
        with limited_to(1):
            ideal = flops / ceilings.fma_peak(dtype, 1).best
            seconds, packing = _seconds(product), _seconds(product, then_without_microkernel)
            record["microkernel"] = plan.microkernel
            cut = tiles(ideal, m, p)
            uncut = tiles(ideal, *whole) * m * p / prod(whole)
        with limited_to(threads):
            together = _seconds(partial(gemm, a, b, out))
            ideal_together = flops / ceilings.fma_peak(dtype, threads).best
        timing.settle()
        parts = ideal, uncut - ideal, cut - uncut, packing, seconds - cut - packing
        kept = (ideal_together / together) / (ideal / seconds)
        for found, share in zip(shares.values(), [*(part / seconds for part in parts), kept], strict=True):
            found.append(100 * share)
    return {part: median(found) for part, found in shares.items()}


def call_costs(dtype: str) -> tuple[float, float]:
    """Seconds of a product of 8 x 8, and of numba's own call of a function that does nothing with three such arrays."""
    a, b, out = (np.zeros((8, 8), dtype) for _ in range(3))
    ways = partial(gemm, a, b, out), partial(numba.njit(lambda a, b, out: None), a, b, out)
    for way in ways:
        way()
    turns = [[timeit(way, number=CALLS) / CALLS for way in ways] for _ in range(CALL_TURNS)]
    product, nothing = (median(found) for found in zip(*turns, strict=True))
    return product, nothing


def _seconds(work: Callable[[], object], before: Callable[[], None] = lambda: None) -> float:
    """Median seconds of a call, each after another that is not counted, for about `TURN_S`; the first warms up."""
    took: list[float] = []
    start = time.perf_counter()
    while len(took) < 2 or time.perf_counter() - start < TURN_S:
        before()
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return median(took[1:])


def _nothing(tile):  # type: ignore[no-untyped-def]
    """In the microkernel's place."""


@numba.njit
def _microtile(workspace, m, p):  # type: ignore[no-untyped-def]
    return microtile(plan_at(workspace, m), m, p)


@numba.njit
def _tiles(times, m, n, p, workspace, a, b, c, one):  # type: ignore[no-untyped-def]
    """The microkernel's calls of so many products, all on one micropanel of a, one of b and one microtile of c."""
    plan, tile, size = plan_at(workspace, one), new_tile(one), size_of(one)
    nr, mr = microtile(plan, m, p)
    panels, micropanels = ceil_div(n, plan.kc), ceil_div(m, nr)
    tile.a, tile.b, tile.c, tile.alpha, tile.beta, tile.ahead = a, b, c, one, one - one, 0
    tile.a_row, tile.b_row, tile.c_row = plan.kc * size, mr * size, mr * size
    for turn in range(times * panels):
        start, end = split(n, turn % panels, panels)
        tile.depth = end - start
        tile.chunk = k_chunk(tile.depth, size)
        for micropanel in range(micropanels):
            first, last = split(m, micropanel, micropanels)
            tile.rows = last - first
            for j in range(0, p, mr):
                tile.columns = min(mr, p - j)
                call(plan.microkernel, tile)
