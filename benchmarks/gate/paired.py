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
from dataclasses import dataclass, field
from math import inf, log
from statistics import median
from typing import ClassVar

from benchmarks.harness import timing
from benchmarks.harness.devices import Device, device
from benchmarks.harness.host import layout, threads
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Home, Worker, WorkerFailure

TURNS, TURN_S = 192, 0.5e-3
"""How often each side has its turn at a case, in a block, and how long. What disturbs a machine lasts some milliseconds: the
shorter the turns, the more alike are two that follow each other (figures: docs/decisions, 13)."""

TURNS_S = 1.5
"""No more turns are begun after so long; but four are, which are there and back twice."""

LEAST_TURNS = 4

TIMEOUT_S = 300.0
"""For a call of a worker."""

LEAST_S = 60.0
"""For the same, however little time is left: starting and compiling take that long on a busy machine."""


@dataclass(frozen=True)
class Side:
    """One of those that are compared.

    Parameters
    ----------
    name : str
    case : callable
        This side's version of a case: with another kernel, say. The same case, if left out.
    home : Home
        Whose code it runs.
    extra : float
        So much longer is worked in each turn, as a share of what its calls took: a slowdown to try the gate on.
    place : str
        Folder of its files; the first on its path, if empty.
    """

    name: str
    case: Callable[[Case], Case] = lambda case: case
    home: Home = field(default_factory=Home)
    extra: float = 0.0
    place: str = ""


@dataclass(frozen=True)
class Block:
    """What one block found: seconds a call by side, turn by turn, for each case; one that failed on any side is left out."""

    seconds: dict[Case, dict[str, list[float]]]
    failures: dict[Case, str]

    def log_ratio(self, case: Case, over: str, under: str) -> float:
        """log(seconds of one side / seconds of another), by the median of the turns.

        Turns of a round are milliseconds apart, and mostly find the machine in one state; a median of seconds would mix states.
        """
        seconds = self.seconds[case]
        return median(log(one / other) for one, other in zip(seconds[over], seconds[under], strict=True))


def block(
    sides: Sequence[Side],
    cases: Sequence[Case],
    order: random.Random,
    advance: Callable[[Case], None] = lambda case: None,
    deadline: float = inf,
) -> Block:
    """Measure every case once on every side, in fresh processes.

    Parameters
    ----------
    sides : sequence of Side
    cases : sequence of Case
    order : random.Random
        Of the workers' start, of the cases, of the sides within a case, and of where memory lies: the same on all sides, since 64
        bytes more or less make a tenth of a product's time.
    advance : callable
        Told each case before it is measured.
    deadline : float
        By `time.monotonic`: a call that hangs is given up then, or after `LEAST_S`, and its case has failed.
    """
    found = Block({}, {})

    def limit_s() -> float:
        return min(TIMEOUT_S, max(LEAST_S, deadline - time.monotonic()))

    with ExitStack() as stack:
        workers = {}
        for side in order.sample(list(sides), len(sides)):
            workers[side.name] = Worker(side.home)
            stack.callback(workers[side.name].close)
        for case in order.sample(list(cases), len(cases)):
            advance(case)
            turns, cpu = order.sample(list(sides), len(sides)), order.choice(threads.cpus() or [None])
            placement = order.getrandbits(32)
            times: dict[str, list[float]] = {side.name: [] for side in sides}
            try:
                calls = 1
                for side in turns:  # each is warm before the first is timed, and all make as many calls
                    calls = max(calls, workers[side.name].call(prepare, limit_s(), side.case(case), placement, cpu))
                start = time.monotonic()
                for turn in range(TURNS):
                    if turn >= LEAST_TURNS and time.monotonic() - start > TURNS_S:
                        break
                    for side in turns if turn % 2 == 0 else reversed(turns):
                        times[side.name].append(workers[side.name].call(sample, limit_s(), calls, side.extra))
            except WorkerFailure as failure:
                found.failures[case] = f"{side.name}: {failure}"
                continue
            found.seconds[case] = times
    return found


@dataclass
class Prepared:
    """What a worker measures at present, and the threads and the processor that it is held to meanwhile."""

    work: timing.Work
    where: Device
    threads: int
    held: ExitStack

    current: ClassVar[Prepared | None] = None


def prepare(case: Case, placement: int, cpu: int | None) -> int:
    """Make a case ready in this worker, check it, and choose how many calls make a turn; runs in a worker.

    One thread runs on that processor: two of them may have very different neighbours.

    Raises
    ------
    ArithmeticError
        If the kernel fails its check: a wrong kernel has no speed.
    """
    if Prepared.current:
        Prepared.current.held.close()
        Prepared.current = None
    else:
        layout.perturb(placement)
    where = device(case.device, placement)
    with timing.usable(where), ExitStack() as held:
        held.enter_context(threads.pinned(cpu if case.threads == 1 else None))
        work = held.enter_context(timing.prepared(case, where))
        where.seconds(work.calls(1))
        timing.wake(case, where)
        calls, _ = timing.warm_up(work, where, None)
        if failure := work.check().failure:
            raise ArithmeticError(failure)
        Prepared.current = Prepared(work, where, case.threads, held.pop_all())
    if case.threads > 1:
        timing.settle()
    return max(1, round(calls * TURN_S / timing.SAMPLE_S))


def sample(calls: int, extra: float = 0.0) -> float:
    """Seconds a call of what is prepared in this worker."""
    now = Prepared.current
    if now is None:
        raise RuntimeError("sample: nothing is prepared")
    with timing.usable(now.where):
        now.where.seconds(now.work.calls(1))  # what the other side has put out of the caches
        found, more = now.where.seconds(now.work.calls(calls)), 0.0
    start = time.perf_counter()
    while more < extra * found:
        more = time.perf_counter() - start
    if now.threads > 1:
        timing.settle()
    return (found + more) / calls
