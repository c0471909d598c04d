"""One case for one round: warm up, sample, check. Runs in a worker process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple, Protocol

from benchmarks.harness.devices import Device, device
from benchmarks.harness.host import layout, threads
from benchmarks.harness.host.gpu import State
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Unusable, one_line
from benchmarks.harness.workloads.gemm import Check, Product
from benchmarks.harness.workloads.sgd import Epoch
from benchmarks.harness.workloads.transfer import Transfer
from kernels import registry

RESOLUTIONS = 1000
"""A sample is at least this many times what the clock tells apart, so that reading the clock costs under 0.1 %."""

SAMPLE_S = 4e-3
"""And long enough for a tick of the scheduler to be a part of it rather than all of it."""

LARGE = 512
"""Size of a product that takes all of a library's buffers."""

WARM_S = 20e-3
"""Caches, branch predictors and a processor's clock have settled by then."""

LONG_S = 0.5
"""A call that takes so long settles them by itself: after a first one, the next is a sample."""

RISING = 1.01
"""A device whose clock has gone up by more than this factor in `WARM_S` is warmed up further: an idle GPU begins at a sixth."""

LOOK_S = 5e-3
SETTLE_S = 0.5
"""How long threads are waited for that never sleep."""


class Work(Protocol):
    """A case made ready: what to time, and how to check it."""

    def calls(self, count: int) -> Iterator[Callable[[], None]]:
        """That many calls of what is timed."""

    def check(self) -> Check:
        """Call once on new inputs, and compare."""


WORKLOADS: dict[str, type[Product] | type[Epoch] | type[Transfer]] = {"gemm": Product, "sgd": Epoch, "transfer": Transfer}


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
    slowed, clock_mhz, power_w
        As in `Samples`.
    """

    samples_s: list[float]
    calls_per_sample: int
    first_s: float
    check: Check
    thread_settings: dict[str, int]
    slowed: int = 0
    clock_mhz: float | None = None
    power_w: float | None = None


class Samples(NamedTuple):
    """What was sampled.

    Parameters
    ----------
    seconds : list of float
        Of a call, in measured order.
    calls : int
        In a sample.
    slowed : int
        Samples that were dropped, since the device was slowed down when they had been taken.
    clock_mhz, power_w : float or None
        Medians of what the device said after each sample; None if it says nothing.
    """

    seconds: list[float]
    calls: int
    slowed: int
    clock_mhz: float | None
    power_w: float | None


class Slowed(RuntimeError):
    """A device was slowed down at every sample."""


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
    with usable(where), prepared(case, where) as work:
        start = time.perf_counter()
        where.seconds(work.calls(1))
        first_s = time.perf_counter() - start
        wake(case, where)
        taken = sample(work, where, budget_s, calls_per_sample)
        found = Slice(
            taken.seconds, taken.calls, first_s, work.check(), threads.settings(), taken.slowed, taken.clock_mhz, taken.power_w
        )
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
def usable(where: Device) -> Iterator[None]:
    """Tell an error that costs one call from one after which the device answers this process no more.

    Raises
    ------
    Unusable
        In place of whatever was raised, if the device is lost.
    """
    try:
        yield
    except Exception as error:
        if where.sound():
            raise
        raise Unusable(one_line(error)) from None


def _workload(case: Case) -> Any:
    """The workload of a case, a stranger's test included: pytest is imported for those alone."""
    if case.workload in WORKLOADS:
        return WORKLOADS[case.workload]
    from benchmarks.harness.workloads.pytest_test import Test

    return Test


@contextmanager
def prepared(case: Case, where: Device) -> Iterator[Work]:
    """A case made ready on a device. Meanwhile this process has the case's threads, or all if the host only checks."""
    workload = _workload(case)
    workload.find(case.kernel)  # loads the thread pools that are limited next
    with threads.limited_to(case.threads if case.device == "cpu" else threads.CORES):
        work = workload(case, where)
        with work if isinstance(work, AbstractContextManager) else nullcontext():  # a test goes on when it is over
            yield work


def sample(work: Work, where: Device, budget_s: float, calls: int | None = None) -> Samples:
    """Warm up, choose how many calls make a sample unless told, and take samples for `budget_s` seconds.

    The first call of all goes before, and counts for nothing: it may compile, load libraries or start threads. A sample after
    which the device says that heat or its power supply holds it back is dropped and counted, and another is taken, until more
    are dropped than are wanted.

    Raises
    ------
    Slowed
        If none is left.
    """
    batch, took = warm_up(work, where, calls)
    if took >= LONG_S and where.state() is None:
        return Samples([took / batch], batch, 0, None, None)
    count = max(1, min(1000, int(budget_s / took)))
    seconds, states, slowed = list[float](), list[State](), list[State]()
    while len(seconds) < count and len(slowed) <= count:
        taken = where.seconds(work.calls(batch)) / batch
        state = where.state()
        if state and state.slowed:
            slowed.append(state)
            continue
        seconds.append(taken)
        states += [state] if state else []
    if not seconds:
        raise Slowed(f"the device was slowed down at all of {len(slowed)} samples: {', '.join(slowed[-1].slowed)}")
    clock, power = (median(each) for each in zip(*(state[:2] for state in states), strict=True)) if states else (None, None)
    return Samples(seconds, batch, len(slowed), clock, power)


def warm_up(work: Work, where: Device, calls: int | None) -> tuple[int, float]:
    """How many calls make a sample, and the seconds they take, once caches are warm and the clock has stopped rising."""
    long_enough = max(RESOLUTIONS * where.resolution_s, SAMPLE_S)
    batch, warm_s, clock_mhz = calls or 1, 0.0, 0.0
    while True:
        took = where.seconds(work.calls(batch))
        warm_s += took
        if calls is None and took < long_enough:
            # At most tenfold at a time: the first batches still warm up and promise less than the rest will do.
            batch = max(batch + 1, min(10 * batch, int(1.1 * batch * long_enough / max(took, where.resolution_s))))
        elif warm_s >= WARM_S:
            state = where.state()
            if state is None or state.clock_mhz <= RISING * clock_mhz:
                return batch, took
            warm_s, clock_mhz = 0.0, state.clock_mhz
