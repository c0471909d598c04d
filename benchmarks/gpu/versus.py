"""The highest rungs against cuBLAS, in turns within one process: what heats or slows the card falls on both sides."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product

from benchmarks.harness import cases
from benchmarks.harness.devices import device
from benchmarks.harness.host.threads import CORES, limited_to
from benchmarks.harness.workers import one_line
from benchmarks.inside.turns import Way, alternate, gflops
from kernels import registry
from minisgd.common.intervals import median_interval

SIZES = (4096, 8192)
TURNS = 12

PAIRS = (
    ("triton/full", "torch/full", "bfloat16"),
    ("triton/full", "torch/full", "float16"),
    ("triton-tf32/full", "torch-tf32/full", "tfloat32"),
    ("numba-cuda/full", "torch/full", "float32"),
    ("triton/full", "torch/full", "float32"),
    ("numba-cuda/full", "torch/full", "float64"),
    ("numba-cuda/full", "torch/full", "bfloat16"),
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
    ways = [Way(cases.case(registry.find(name), shape, dtype, device="cuda")) for name in (kernel, peer)]
    with limited_to(CORES):  # the check is the host's
        seconds = alternate(ways, where, TURNS)
    state = where.state()
    own, other = (gflops(way.case, taken) for way, taken in zip(ways, seconds, strict=True))
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
