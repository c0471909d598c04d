"""The highest rungs against cuBLAS, in turns within one process: what heats or slows the card falls on both sides."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import product
from statistics import median

from benchmarks.harness import cases, timing
from benchmarks.harness.devices import device
from benchmarks.harness.workers import one_line
from kernels import registry
from minisgd.common.intervals import median_interval

SIZES = (4096, 8192)
TURNS = 12
TURN_S = 40e-3

PAIRS = (
    ("triton/full", "torch/full", "bfloat16"),
    ("triton/full", "torch/full", "float16"),
    ("triton-tf32/full", "torch-tf32/full", "tfloat32"),
    ("numba-cuda/full", "torch/full", "float32"),
    ("triton/full", "torch/full", "float32"),
    ("numba-cuda/full", "torch/full", "float64"),
)


@dataclass(frozen=True)
class Versus:
    """A kernel and its peer at one size: GFLOPS of either, and how many times as fast as the peer the kernel is.

    The interval is of the median of the turns; clock and power are those at the last turn.
    """

    kernel: str
    peer: str
    dtype: str
    size: int
    gflops: float
    peer_gflops: float
    ratio: float
    low: float
    high: float
    clock_mhz: float | None
    power_w: float | None


def measure(kernel: str, peer: str, dtype: str, size: int) -> Versus:
    """Check both sides, then take `TURNS` turns of each, in an order that changes from turn to turn.

    Raises
    ------
    ArithmeticError
        If a side fails its check.
    """
    where, shape = device("cuda"), dict.fromkeys("mnp", size)
    chosen = [cases.case(registry.find(name), shape, dtype, device="cuda") for name in (kernel, peer)]
    with ExitStack() as held:
        works = [held.enter_context(timing.prepared(case, where)) for case in chosen]
        counts = []
        for case, work in zip(chosen, works, strict=True):
            if failure := work.check().failure:
                raise ArithmeticError(f"{case.kernel}: {failure}")
            batch, took = timing.warm_up(work, where, None)
            counts.append(max(1, round(batch * TURN_S / took)))
        seconds: list[list[float]] = [[], []]
        for turn in range(TURNS):
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                seconds[side].append(where.seconds(works[side].calls(counts[side])) / counts[side])
        state = where.state()
    own, other = (timing.WORKLOADS["gemm"].costs(chosen[0])["flops"] / median(each) / 1e9 for each in seconds)
    ratio, low, high = median_interval([theirs / ours for ours, theirs in zip(*seconds, strict=True)])
    clock, power = (state.clock_mhz, state.power_w) if state else (None, None)
    return Versus(kernel, peer, dtype, size, own, other, ratio, low, high, clock, power)


def found() -> Iterator[Versus | str]:
    """Every pair at every size, or why there is no figure."""
    for size, (kernel, peer, dtype) in product(SIZES, PAIRS):
        try:
            yield measure(kernel, peer, dtype, size)
        except Exception as error:  # out of memory, a wrong result, a backend that is not there: the others may do
            yield f"{kernel} {dtype} {size}: {one_line(error)}"


def main() -> int:
    """A line of JSON for each; 1 if one has no figure."""
    failed = 0
    for each in found():
        print(each if isinstance(each, str) else json.dumps(asdict(each)), flush=True)
        failed |= isinstance(each, str)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
