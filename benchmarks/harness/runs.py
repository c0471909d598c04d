"""One run: its cases measured in rounds, each backend in a worker of its own, the ceilings in every round beside them.

A round measures every case once, in a new random order, so that two cases are compared over the same minutes and a slow
minute falls on all of them. It has processes of its own where those start fast, and memory laid out anew. A case that crashes,
hangs, raises or is wrong is recorded as failed and left out from then on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from math import inf
from statistics import median

from benchmarks.harness import derived, statistics, timing
from benchmarks.harness.ceilings import trials as ceilings
from benchmarks.harness.devices import device
from benchmarks.harness.host import libraries, machine
from benchmarks.harness.machines import BEYOND, Blas, Ceilings, Machine
from benchmarks.harness.records import Case, Record, Run
from benchmarks.harness.workers import Home, Worker, WorkerFailure
from minisgd.common.cli import UsageError

ROUNDS = 6
"""The fewest that give a 95 % interval of the median without assuming a distribution."""

SETUP_TIMEOUT_S = 300.0
"""For what is the suite's own: importing torch and compiling the ceilings' loops on a slow disk."""

COMPILING_S = 180.0
"""Allowed beside the timeout for a first call that compiles: that takes seconds, but a minute and more on a busy machine."""

FRESH_S = 1.0
"""A process that starts in less is replaced each round: its luck, of where memory lies say, would pass for the kernel's speed."""


class Workers:
    """A worker for each backend or home, device and number of threads, its memory perturbed before it first calls a kernel.

    Parameters
    ----------
    order : random.Random
        Draws how.
    home : callable, optional
        Whose code the worker of a case runs; this process's own, if left out or None.
    """

    def __init__(self, order: random.Random, home: Callable[[Case], Home | None] = lambda case: None) -> None:
        self._order, self.home = order, home
        self._workers: dict[tuple[str, str, int], Worker] = {}
        self._started_s: dict[tuple[str, str, int], float] = {}

    def of(self, case: Case) -> Worker:
        """The worker of a case, with the case's backend loaded.

        Raises
        ------
        WorkerFailure
            If the backend cannot be loaded.
        """
        home = self.home(case)
        key = home.python if home else case.backend, case.device, case.threads
        if key not in self._workers:
            self._workers[key] = Worker(home)
        worker = self._workers[key]
        if not worker.running:
            start = time.monotonic()
            worker.call(timing.begin, SETUP_TIMEOUT_S, case, self._order.getrandbits(32))
            self._started_s[key] = time.monotonic() - start
        return worker

    def renew(self) -> None:
        """End the processes that others can soon replace."""
        for key, seconds in self._started_s.items():
            if seconds < FRESH_S:
                self._workers[key].close()

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.close()


def described(own: Worker) -> Machine:
    """This machine, as a worker finds it.

    Raises
    ------
    UsageError
        If the worker dies of it.
    """
    try:
        return own.call(machine.describe, SETUP_TIMEOUT_S)
    except WorkerFailure as failure:
        raise UsageError(f"this machine cannot be described: {failure}; is there enough memory?") from None


def raised(own: Worker, before: Ceilings | None, name: str, threads: list[int]) -> Ceilings | None:
    """A device's ceilings after one more round; as they were before if the worker dies of it, since the cases matter more."""
    try:
        return ceilings.best(before, own.call(measure_ceilings, SETUP_TIMEOUT_S, name, threads))
    except WorkerFailure:
        return before


def measure_ceilings(name: str, threads: list[int]) -> Ceilings:
    """One round of a device's ceilings; runs in a worker."""
    where = device(name)
    with timing.usable(where):
        return where.ceilings(threads)


def execute(
    cases: Sequence[Case],
    *,
    budget_s: float,
    timeout_s: float,
    rounds: int = ROUNDS,
    case_s: float = inf,
    advance: Callable[[str], None] = lambda doing: None,
    keep: Callable[[Run], None] = lambda run: None,
    home: Callable[[Case], Home | None] = lambda case: None,
) -> Run:
    """Measure cases, calling `advance` before each step and `keep` with the run so far after each.

    Parameters
    ----------
    cases : sequence of Case
    budget_s : float
        Seconds of samples of each case in each round.
    timeout_s : float
        For one case in one round, everything included but compiling.
    rounds : int
    case_s : float
        A case that has taken more seconds than this, beside its first calls, is in no further round: it has fewer repeats, and a
        wider interval, or none.
    advance : callable
        Told what is measured next, ``(len(cases) + 1) * rounds`` times.
    keep : callable
        Given a complete `Run` of all the records that have samples or have failed.
    home : callable
        See `Workers`.
    """
    order = random.Random()
    own, workers = Worker(), Workers(order, home)
    try:
        advance("this machine")
        so_far = _SoFar(cases, own)
        for round_ in range(rounds):
            if round_:
                advance("ceilings")
                workers.renew()
            so_far.raise_ceilings()
            for case in order.sample(cases, len(cases)):
                advance(case.title)
                if case not in so_far.failures and so_far.spent[case] <= case_s:
                    so_far.measure(case, workers, budget_s, timeout_s)
                    keep(so_far.run())
    finally:
        own.close()
        workers.close()
    return so_far.run()


class _SoFar:
    """What the rounds have found so far: samples and failures of the cases, the ceilings, and the libraries that ran.

    `spent` is the seconds of each case beside its first calls, `own` the worker that measures the machine itself.
    """

    def __init__(self, cases: Sequence[Case], own: Worker) -> None:
        self.cases, self.own = cases, own
        self.created, self.commit = datetime.now(UTC), machine.commit()
        self.here = described(own)
        self.slices: dict[Case, list[timing.Slice]] = {}
        self.spent: dict[Case, float] = dict.fromkeys(cases, 0.0)
        self.failures: dict[Case, str] = {}
        self.limits: dict[str, Ceilings | None] = {}
        self.ran: dict[str, Blas | None] = {}
        self.records: dict[Case, Record] = {}

    def raise_ceilings(self) -> None:
        """Measure each device's ceilings for one more round, and hold the records against them."""
        threads = sorted({case.threads for case in self.cases})
        for name in sorted({case.device for case in self.cases}):
            self.limits[name] = raised(self.own, self.limits.get(name), name, threads)
        self.records = {case: self.record(case) for case in self.records}

    def measure(self, case: Case, workers: Workers, budget_s: float, timeout_s: float) -> None:
        """Measure a case for one round; what goes wrong is kept as its failure."""
        done = self.slices.setdefault(case, [])
        try:
            calls = done[0].calls_per_sample if done else None
            compiles = not done and timing.WORKLOADS[case.workload].find(case.kernel).compiles
            limit_s = timeout_s + COMPILING_S * compiles
            worker = workers.of(case)
            start = time.monotonic()  # a worker's start is not the case's
            done.append(worker.call(timing.measure, limit_s, case, budget_s, calls))
            self.spent[case] += time.monotonic() - start - done[-1].first_s
            if case.backend not in self.ran and workers.home(case) is None:
                self.ran[case.backend] = worker.call(libraries.of, SETUP_TIMEOUT_S, case.backend)
        except WorkerFailure as failure:
            self.failures[case] = str(failure)
        else:
            if done[-1].check.failure:
                self.failures[case] = done[-1].check.failure
        self.records[case] = self.record(case)

    def record(self, case: Case) -> Record:
        """What follows from all of that for a case."""
        limits, ran = self.limits.get(case.device), self.ran.get(case.backend)
        return record(case, self.slices[case], self.failures.get(case), limits, ran)

    def run(self) -> Run:
        """The records of the cases that have samples or have failed, in the order of the cases."""
        here = self.here.model_copy(update={"ceilings": {name: limits for name, limits in self.limits.items() if limits}})
        records = [self.records[case] for case in self.cases if case in self.records]
        return Run(created=self.created, commit=self.commit, machine=here, records=records)


def record(
    case: Case, slices: Sequence[timing.Slice], failure: str | None, limits: Ceilings | None, ran: Blas | None = None
) -> Record:
    """What follows from the samples of a case, which that library ran. A failed one keeps error and reason, and no speed."""
    if not slices:
        return Record(**dict(case), failure=failure)
    costs = derived.costs(case)
    worst = max((each.check for each in slices), key=lambda check: check.error)
    checked = {"error": worst.error, "error_bound": worst.bound, "passed": failure is None, "failure": failure}
    if failure:
        return Record(**dict(case), **costs, **checked)
    rounds = [each.samples_s for each in slices]
    seconds = statistics.summary(rounds)
    speed = derived.speed(case, seconds, limits)
    if len(rounds) == 1:
        speed["noisy"] = True  # a single repeat has no interval
    if limits and worst.waited and speed["gflops"] > BEYOND * (most := derived.most(limits, case.dtype, case.threads)):
        early = f"{speed['gflops']:.0f} GFLOPS, beyond the peak of {most:.0f}: the clock stopped too early"
        return Record(**dict(case), **costs, **checked | {"passed": False, "failure": early})
    compiles = timing.WORKLOADS[case.workload].find(case.kernel).compiles
    return Record(
        **dict(case),
        **costs,
        **checked,
        **speed,
        samples_s=[sample for each in rounds for sample in each],
        calls_per_sample=slices[0].calls_per_sample,
        samples_per_round=[len(each) for each in rounds],
        states_s=statistics.states(rounds),
        compile_s=max(0.0, slices[0].first_s - seconds[0]) if compiles else None,
        thread_settings=slices[-1].thread_settings,
        slowed=sum(each.slowed for each in slices),
        clock_mhz=_middle(each.clock_mhz for each in slices),
        power_w=_middle(each.power_w for each in slices),
        code_path=ran.code_path if ran and case.device == "cpu" else None,
        held_back=ran.held_back if ran and case.device == "cpu" else [],
    )


def _middle(values: Iterable[float | None]) -> float | None:
    """The median of those that were told."""
    told = [each for each in values if each is not None]
    return median(told) if told else None
