"""One run: its cases measured in rounds, each backend in a worker of its own, the ceilings in every round beside them.

A round measures every case once, in a new random order, so that two cases are compared over the same minutes and a slow
minute falls on all of them. A case that crashes, hangs, raises or is wrong is recorded as failed and left out from then on.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from benchmarks.harness import ceilings, libraries, machine, statistics, timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Blas, Case, Ceilings, Machine, Record, Run
from benchmarks.harness.workers import Worker, WorkerFailure

ROUNDS = 6
"""The fewest that give a 95 % interval of the median without assuming a distribution."""

SETUP_TIMEOUT_S = 300.0
"""For what is the suite's own: importing torch and compiling the ceilings' loops on a slow disk."""


def measure_ceilings(name: str, threads: list[int]) -> Ceilings:
    """One round of a device's ceilings; runs in a worker."""
    return device(name).ceilings(threads)


def execute(
    cases: Sequence[Case],
    *,
    budget_s: float,
    timeout_s: float,
    rounds: int = ROUNDS,
    advance: Callable[[str], None] = lambda doing: None,
    keep: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Measure cases, calling `advance` before each step and `keep` with the run so far after each.

    Parameters
    ----------
    cases : sequence of Case
    budget_s : float
        Seconds of samples of each case in each round.
    timeout_s : float
        For one case in one round, everything included.
    rounds : int
    advance : callable
        Told what is measured next, ``(len(cases) + 1) * rounds`` times.
    keep : callable
        Given a complete `Run` of all the records that have samples or have failed.
    """
    workers: dict[tuple[str, str, int], Worker] = defaultdict(Worker)
    ran: dict[str, Blas | None] = {}
    slices: dict[Case, list[timing.Slice]] = {case: [] for case in cases}
    failures: dict[Case, str] = {}
    records: dict[Case, Record] = {}
    created, commit = datetime.now(UTC), machine.commit()
    where = sorted({case.device for case in cases})
    threads = sorted({case.threads for case in cases})
    order = random.Random(0)
    try:
        own = workers["", "", 0]
        advance("this machine")
        here: Machine = own.call(machine.describe, SETUP_TIMEOUT_S)
        found: dict[str, Ceilings] = {}
        for round_ in range(rounds):
            if round_:
                advance("ceilings")
            for name in where:
                found[name] = ceilings.best(found.get(name), own.call(measure_ceilings, SETUP_TIMEOUT_S, name, threads))
            here = here.model_copy(update={"ceilings": found})
            records = {
                case: record(case, slices[case], failures.get(case), found[case.device], ran.get(case.backend))
                for case in records
            }
            for case in order.sample(cases, len(cases)):
                advance(f"{case.kernel} {case.size} {case.dtype} x{case.threads}")
                if case in failures:
                    continue
                done = slices[case]
                try:
                    worker = workers[case.backend, case.device, case.threads]
                    calls = done[0].calls_per_sample if done else None
                    done.append(worker.call(timing.measure, timeout_s, case, budget_s, calls))
                    if case.backend not in ran:
                        ran[case.backend] = worker.call(libraries.of, SETUP_TIMEOUT_S, case.backend)
                except WorkerFailure as failure:
                    failures[case] = str(failure)
                else:
                    if done[-1].check.failure:
                        failures[case] = done[-1].check.failure
                records[case] = record(case, slices[case], failures.get(case), found[case.device], ran.get(case.backend))
                measured = [records[each] for each in cases if each in records]
                run = Run(created=created, commit=commit, machine=here, records=measured)
                keep(run)
    finally:
        for worker in workers.values():
            worker.close()
    return run


def record(
    case: Case, slices: Sequence[timing.Slice], failure: str | None, limits: Ceilings | None, ran: Blas | None = None
) -> Record:
    """What follows from the samples of a case, which that library ran. A failed one keeps error and reason, and no speed."""
    if not slices:
        return Record(**dict(case), failure=failure)
    workload = timing.WORKLOADS[case.workload]
    costs = workload.costs(case)
    examples = costs.pop("examples", None)
    worst = max((each.check for each in slices), key=lambda check: check.error)
    checked = {"error": worst.error, "error_bound": worst.bound, "passed": failure is None, "failure": failure}
    if failure:
        return Record(**dict(case), **costs, **checked)
    middle, low, high = statistics.summary([each.samples_s for each in slices])
    rate, rate_low, rate_high = (costs["flops"] / seconds / 1e9 for seconds in (middle, high, low))
    peak = limits and limits.peak(case.dtype, case.threads)
    return Record(
        **dict(case),
        **costs,
        **checked,
        samples_s=[sample for each in slices for sample in each.samples_s],
        calls_per_sample=slices[0].calls_per_sample,
        samples_per_round=[len(each.samples_s) for each in slices],
        median_s=middle,
        compile_s=max(0.0, slices[0].first_s - middle) if workload.find(case.kernel).compiles else None,
        thread_settings=slices[-1].thread_settings,
        gflops=rate,
        gflops_low=rate_low,
        gflops_high=rate_high,
        examples_s=examples / middle if examples else None,
        limit_s=workload.limit_s(case, limits) if limits else None,
        noisy=statistics.is_noisy(middle, low, high),
        percent_of_peak=100 * rate / peak if peak else None,
        code_path=ran.code_path if ran and case.device == "cpu" else None,
        held_back=ran.held_back if ran and case.device == "cpu" else [],
    )
