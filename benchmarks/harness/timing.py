"""One case for one round: warm up, sample, check. Runs in a worker process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from benchmarks.harness.devices import Device, device
from benchmarks.harness.host import layout, threads
from benchmarks.harness.records import Case
from benchmarks.harness.workloads.gemm import Check, Product
from benchmarks.harness.workloads.sgd import Epoch
from kernels import registry

RESOLUTIONS = 1000
"""A sample is at least this many times what the clock tells apart, so that reading the clock costs under 0.1 %."""

SAMPLE_S = 4e-3
"""And long enough for a tick of the scheduler to be a part of it rather than all of it."""

LARGE = 512
"""Size of a product that takes all of a library's buffers."""

WARM_S = 20e-3
"""Caches, branch predictors and clock frequencies have settled by then."""

LOOK_S = 5e-3
SETTLE_S = 0.5
"""How long threads are waited for that never sleep."""


class Work(Protocol):
    """A case made ready: what to time, and how to check it."""

    def calls(self, count: int) -> Iterator[Callable[[], None]]:
        """That many calls of what is timed."""

    def check(self) -> Check:
        """Call once on new inputs, and compare."""


WORKLOADS: dict[str, type[Product] | type[Epoch]] = {"gemm": Product, "sgd": Epoch}


@dataclass(frozen=True)
class Slice:
    """What one round found of a case.

    Parameters
    ----------
    samples_s : list of float
        Seconds a call, in measured order.
    calls_per_sample : int
    first_s : float
        Seconds of the first call, by the host's clock: compiling happens on the host.
    check : Check
    thread_settings : dict of str to int
    """

    samples_s: list[float]
    calls_per_sample: int
    first_s: float
    check: Check
    thread_settings: dict[str, int]


def begin(case: Case, seed: int) -> None:
    """Make a new process ready for the cases of a backend: memory laid out anew, and the backend loaded."""
    layout.perturb(seed)
    WORKLOADS[case.workload].find(case.kernel)


def measure(case: Case, budget_s: float, calls_per_sample: int | None = None) -> Slice:
    """Measure a case in this process.

    Parameters
    ----------
    case : Case
    budget_s : float
        Seconds of samples to take; at least one sample is taken.
    calls_per_sample : int, optional
        As an earlier round chose it; chosen here if left out.
    """
    where = device(case.device)
    with prepared(case, where) as work:
        start = time.perf_counter()
        where.seconds(work.calls(1))
        first_s = time.perf_counter() - start
        wake(case, where)
        samples_s, calls = sample(work, where, budget_s, calls_per_sample)
        found = Slice(samples_s, calls, first_s, work.check(), threads.settings())
    if case.threads > 1:
        settle()
    return found


def wake(case: Case, where: Device) -> None:
    """Have a peer's library use all of its buffers.

    Until a large product has, OpenBLAS does small ones at a quarter of its speed: 12 GFLOPS at 256, then 43 (Zen, virtual).
    """
    if case.workload == "gemm" and registry.find(case.kernel).peer:
        large = case.model_copy(update={"shape": dict.fromkeys(case.shape, LARGE), "cache": "warm"})
        where.seconds(Product(large, where).calls(1))


def settle() -> None:
    """Wait until this process's threads sleep: after a product OpenMP's spin for 3 ms, OpenBLAS's for 100 ms.

    Until then they take a processor from whoever is measured next, in this process or another.
    """
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        before = time.process_time()
        time.sleep(LOOK_S)
        if time.process_time() - before < LOOK_S / 10:
            return


@contextmanager
def prepared(case: Case, where: Device) -> Iterator[Work]:
    """A case made ready on a device; this process's threads are the case's meanwhile."""
    WORKLOADS[case.workload].find(case.kernel)  # loads the thread pools that are limited next
    with threads.limited_to(case.threads):
        yield WORKLOADS[case.workload](case, where)


def sample(work: Work, where: Device, budget_s: float, calls: int | None = None) -> tuple[list[float], int]:
    """Warm up, choose how many calls make a sample unless told, and take samples for `budget_s` seconds.

    The first call of all goes before, and counts for nothing: it may compile, load libraries or start threads.
    """
    long_enough = max(RESOLUTIONS * where.resolution_s, SAMPLE_S)
    batch, took, warm_s = calls or 1, 0.0, 0.0
    while warm_s < WARM_S or (calls is None and took < long_enough):
        took = where.seconds(work.calls(batch))
        warm_s += took
        if calls is None and took < long_enough:
            # At most tenfold at a time: the first batches still warm up and promise less than the rest will do.
            batch = max(batch + 1, min(10 * batch, int(1.1 * batch * long_enough / max(took, where.resolution_s))))
    count = max(1, min(1000, int(budget_s / took)))
    return [where.seconds(work.calls(batch)) / batch for _ in range(count)], batch
