"""The harness measures what it says, on any device: here one with memory and a clock of its own."""

from __future__ import annotations

import time
from itertools import repeat

import numpy as np
import pytest

from benchmarks.harness import cases, devices, timing
from benchmarks.harness.records import Case
from benchmarks.harness.workloads.gemm import Product
from kernels import registry


class Clockwork:
    """A device that numpy cannot see into, and whose time is no time of ours."""

    resolution_s = 1e-6
    cache_bytes = 1 << 16
    now = 0.0
    timed_calls = 0

    class Memory:
        def __init__(self, hidden):
            self.hidden, self.shape = hidden, hidden.shape

        def __array__(self, *args, **kwargs):
            raise AssertionError("the harness looked into device memory")

    def place(self, host, library, dtype=None):
        return self.Memory(host.copy())

    def write(self, array, host):
        array.hidden[...] = host
        return array

    def fetch(self, array):
        return array.hidden.copy()

    def seconds(self, calls):
        start = Clockwork.now
        for call in calls:
            call()
            Clockwork.timed_calls += 1
        return Clockwork.now - start

    def state(self):
        return None

    def sound(self):
        return True


@pytest.fixture
def clockwork(monkeypatch):
    def product(a, b, out):
        np.matmul(a.hidden, b.hidden, out=out.hidden)
        Clockwork.now += 3e-3

    monkeypatch.setitem(devices.DEVICES, "clockwork", lambda placement: Clockwork())
    kernel = registry.Kernel("clockwork", "full", product, devices=("clockwork",))
    monkeypatch.setitem(registry.PRODUCTS._entries, "clockwork/full", kernel)
    monkeypatch.setattr(Clockwork, "now", 0.0)
    monkeypatch.setattr(Clockwork, "timed_calls", 0)


def case(**changes):
    fields = {
        "kernel": "clockwork/full", "rung": "full", "backend": "clockwork", "device": "clockwork", "dtype": "float32",
        "shape": {"m": 8, "n": 9, "p": 10}, "threads": 1,
    }  # fmt: skip
    return Case.model_validate(fields | changes)


@pytest.mark.parametrize("cache", ["warm", "cold"])
def test_a_device_s_own_clock_and_memory_are_all_that_is_used(clockwork, cache):
    found = timing.measure(case(cache=cache), budget_s=0.06)
    assert found.samples_s == pytest.approx([3e-3] * len(found.samples_s))
    assert found.calls_per_sample * 3e-3 >= timing.SAMPLE_S
    assert len(found.samples_s) * found.calls_per_sample * 3e-3 == pytest.approx(0.06, rel=0.2)
    assert found.check.failure is None
    assert found.check.error <= found.check.bound


def test_a_later_round_keeps_the_number_of_calls(clockwork):
    assert timing.measure(case(), budget_s=0.06, calls_per_sample=5).calls_per_sample == 5


def test_cold_operands_outgrow_the_cache_twice(clockwork):
    product = Product(case(cache="cold"), Clockwork())
    sets = len({id(call.args[0]) for call in product.calls(1000)})
    assert sets * Product.costs(case())["bytes"] > 2 * Clockwork.cache_bytes


@pytest.mark.parametrize(
    ("layout", "turned"), [("nn", (False, False)), ("nt", (False, True)), ("tn", (True, False)), ("tt", (True, True))]
)
@pytest.mark.parametrize("name", ["numpy/full", "torch/full"])
def test_operands_lie_as_the_case_says(name, layout, turned):
    product = Product(case(kernel=name, layout=layout), devices.Cpu())
    a, b, out = (np.asarray(x) for x in next(product.calls(1)).args)
    assert tuple(x.flags.f_contiguous for x in (a, b)) == turned
    assert out.flags.c_contiguous
    assert product.check().failure is None


def test_strided_rows_are_longer_than_they_are_wide():
    product = Product(case(kernel="numba/full", layout="strided"), devices.Cpu(placement=1))
    a, b, out = next(product.calls(1)).args
    assert a.strides[0] > a.shape[1] * a.itemsize == 9 * 4
    assert b.strides[0] > b.shape[1] * b.itemsize == 10 * 4
    assert out.flags.c_contiguous
    assert product.check().failure is None


class Steady:
    """Work of a fixed duration on a clock of its own."""

    def __init__(self, seconds):
        self.duration, self.counts = seconds, []

    def calls(self, count):
        self.counts.append(count)
        return repeat(lambda: None, count)

    def seconds(self, calls):
        return self.duration * sum(1 for _ in calls)

    def state(self):
        return None

    resolution_s = 1e-6


class Cold(Steady):
    """Work that takes three times as long until so many seconds of it have been done."""

    def __init__(self, seconds, cold_s):
        super().__init__(seconds)
        self.cold_s, self.done_s = cold_s, 0.0

    def seconds(self, calls):
        took = super().seconds(calls) * (3 if self.done_s < self.cold_s else 1)
        self.done_s += took
        return took


@pytest.mark.parametrize("calls", [None, 10])
@pytest.mark.parametrize("seconds", [1e-5, 1e-3, 0.01])
def test_nothing_is_sampled_before_caches_and_clock_are_warm(seconds, calls):
    work = Cold(seconds, cold_s=0.015)
    samples = timing.sample(work, work, 0.05, calls).seconds
    assert samples == pytest.approx([seconds] * len(samples))


@pytest.mark.parametrize("resolution_s", [1e-5, 1e-4])
def test_a_coarse_clock_is_given_longer_samples(resolution_s):
    work = Steady(1e-3)
    work.resolution_s = resolution_s
    batch = timing.sample(work, work, budget_s=0.05).calls
    assert batch * work.duration >= 1000 * resolution_s


@pytest.mark.parametrize("seconds", [1e-7, 1e-5, 1e-3, 0.5])
def test_a_sample_is_long_enough_for_the_clock(seconds):
    work = Steady(seconds)
    samples, batch = timing.sample(work, work, budget_s=0.05)[:2]
    assert batch * seconds >= timing.SAMPLE_S
    assert batch * seconds <= max(2.5 * timing.SAMPLE_S, seconds)
    assert samples == pytest.approx([seconds] * len(samples))
    assert len(samples) >= 1


def test_a_first_call_that_compiles_is_no_measure_of_the_next(clockwork, monkeypatch):
    def slow_at_first(self, calls):
        if not Clockwork.timed_calls:
            Clockwork.now += 10.0
        return seconds(self, calls)

    seconds = Clockwork.seconds
    monkeypatch.setattr(Clockwork, "seconds", slow_at_first)
    found = timing.measure(case(), budget_s=0.06)
    assert found.calls_per_sample > 1
    assert len(found.samples_s) > 1


def test_settling_waits_for_threads_that_spin(monkeypatch):
    processor_s = iter([0.0, 0.005, 0.005, 0.010, 0.010, 0.0101])
    monkeypatch.setattr(time, "process_time", processor_s.__next__)
    timing.settle()
    assert not list(processor_s)


def test_settling_does_not_wait_for_ever(monkeypatch):
    naps = []
    monkeypatch.setattr(time, "sleep", naps.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(naps))
    monkeypatch.setattr(time, "process_time", lambda: sum(naps))
    timing.settle()
    assert sum(naps) == pytest.approx(timing.SETTLE_S, abs=2 * timing.LOOK_S)


@pytest.mark.parametrize(("count", "times"), [(1, 0), (2, 1)])
def test_threads_settle_before_anything_else_is_measured(clockwork, monkeypatch, count, times):
    settled = []
    monkeypatch.setattr(timing, "settle", lambda: settled.append(Clockwork.timed_calls))
    found = timing.measure(case(threads=count), budget_s=0.06)
    assert len(settled) == times
    assert settled in ([], [Clockwork.timed_calls])  # after the last sample
    assert found.samples_s


@pytest.mark.parametrize(("kernel", "large"), [("numpy/full", 1), ("numpy/block", 0)])
def test_a_peer_uses_all_of_its_buffers_before_it_is_timed(kernel, large):
    placed = []

    class Watched(devices.Cpu):
        def place(self, host, library, dtype=None):
            placed.append(host.shape)
            return super().place(host, library, dtype)

    timing.wake(cases.case(registry.find(kernel), {"m": 16, "n": 16, "p": 16}, "float32"), Watched())
    assert placed == [(timing.LARGE, timing.LARGE)] * 3 * large
