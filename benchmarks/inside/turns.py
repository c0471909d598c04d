"""Several ways to one product on a GPU, in turns within one process: what heats or slows the card falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.harness import timing
from benchmarks.harness.devices import Device
from benchmarks.harness.records import Case
from benchmarks.harness.workloads.gemm import Function, Product

TURN_S = 40e-3


@dataclass(frozen=True)
class Way:
    """A case, and the function that is timed in its kernel's place; the kernel itself if that is None."""

    case: Case
    function: Function | None = None


def alternate(
    ways: Sequence[Way], where: Device, turns: int, advance: Callable[[str], None] = lambda doing: None
) -> list[list[float]]:
    """Seconds a call of each way in each turn, the ways in turn forwards and backwards. Each is checked and warm before.

    Raises
    ------
    ArithmeticError
        If a way fails its check; the message says which.
    """
    works, counts = [], []
    for way in ways:
        work = Product(way.case, where, function=way.function)
        where.seconds(work.calls(1))  # compiles
        if failure := work.check().failure:
            raise ArithmeticError(f"{way.case.kernel}: {failure}")
        batch, took = timing.warm_up(work, where, None)
        works.append(work)
        counts.append(max(1, round(batch * TURN_S / took)))
    seconds: list[list[float]] = [[] for _ in ways]
    for turn in range(turns):
        order = range(len(ways)) if turn % 2 == 0 else reversed(range(len(ways)))
        for each in order:
            seconds[each].append(where.seconds(works[each].calls(counts[each])) / counts[each])
            advance(ways[each].case.title)
    return seconds


def gflops(case: Case, seconds: Sequence[float]) -> float:
    """The rate at the median turn."""
    return timing.WORKLOADS[case.workload].costs(case)["flops"] / median(seconds) / 1e9
