"""The paired engine: sides that take turns in lock-step, in fresh worker processes.

A block is one fresh worker for each side, started in random order. In it each case is measured by the sides in turn, there and
back (A B C C B A), so that a machine that slows down in the meantime slows them all. Samples within a process are correlated:
the block is the unit of replication, and what it yields is one figure a case and side.

Pairing instead of running one side after the other narrows intervals some five times (Bulej et al., "Duet Benchmarking", 2020).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from benchmarks.harness import threads, timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker, WorkerFailure

TURNS = 2
"""There and back: how often a side has its turn at a case, in a block."""

SAMPLES = 3
"""Samples of a turn; its figure is their median."""

TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Side:
    """One of those that are compared.

    Parameters
    ----------
    name : str
    case : callable
        This side's version of a case: with another kernel, say.
    """

    name: str
    case: Callable[[Case], Case]


@dataclass(frozen=True)
class Block:
    """What one block found: seconds a call by side, for each case; a case that failed on any side is left out."""

    seconds: dict[Case, dict[str, float]]
    failures: dict[Case, str]


def block(
    sides: Sequence[Side], cases: Sequence[Case], order: random.Random, advance: Callable[[Case], None] = lambda case: None
) -> Block:
    """Measure every case once on every side, in fresh processes.

    Parameters
    ----------
    sides : sequence of Side
    cases : sequence of Case
    order : random.Random
        Of the workers' start, of the cases, and of the sides within a case.
    advance : callable
        Told each case before it is measured.
    """
    found = Block({}, {})
    with ExitStack() as stack:
        workers = {}
        for side in order.sample(list(sides), len(sides)):
            workers[side.name] = Worker()
            stack.callback(workers[side.name].close)
        for case in order.sample(list(cases), len(cases)):
            advance(case)
            turns = order.sample(list(sides), len(sides))
            times: dict[str, list[float]] = {side.name: [] for side in sides}
            try:
                for side in turns:  # each is warm before the first is timed
                    workers[side.name].call(prepare, TIMEOUT_S, side.case(case))
                for turn in range(TURNS):
                    for side in turns if turn % 2 == 0 else reversed(turns):
                        times[side.name].append(workers[side.name].call(sample, TIMEOUT_S, side.case(case)))
            except WorkerFailure as failure:
                found.failures[case] = f"{side.name}: {failure}"
                continue
            found.seconds[case] = {name: median(each) for name, each in times.items()}
    return found


def prepare(case: Case) -> int:
    """Make a case ready in this worker, check it, and choose how many calls make a sample; runs in a worker.

    Raises
    ------
    ArithmeticError
        If the kernel fails its check: a wrong kernel has no speed.
    """
    return _ready(case)[1]


def sample(case: Case) -> float:
    """Seconds a call, by the median of a turn's samples; runs in a worker."""
    work, calls = _ready(case)
    where = device(case.device)
    with threads.limited_to(case.threads):
        found = median(where.seconds(work.calls(calls)) / calls for _ in range(SAMPLES))
    if case.threads > 1:
        time.sleep(timing.SETTLE_S)  # pools that spin would take the next side's core
    return found


@lru_cache(maxsize=1)
def _ready(case: Case) -> tuple[timing.Work, int]:
    where = device(case.device)
    with timing.prepared(case, where) as work:
        where.seconds(work.calls(1))
        _, calls = timing.sample(work, where, budget_s=0.0)
        if failure := work.check().failure:
            raise ArithmeticError(failure)
    if case.threads > 1:
        time.sleep(timing.SETTLE_S)
    return work, calls
