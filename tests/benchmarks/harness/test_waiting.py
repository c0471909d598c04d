"""A library that works on after a call is waited for; where it is not, the case fails."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from benchmarks.harness import derived, runs, timing
from benchmarks.harness.cases import case
from benchmarks.harness.machines import Ceilings, Peak
from benchmarks.harness.workloads.gemm import Check
from kernels import arrays, registry

WORK_S = 0.1


class Later:
    """A matrix whose elements come from a thread, some time after the call."""

    def __init__(self, host):
        self.host, self.shape, self.dtype, self.thread = host, host.shape, host.dtype, None

    def join(self):
        if self.thread:
            self.thread.join()


Later.__module__ = "laterlibrary"


class Library(arrays.Library):
    expected, packages = "a later matrix", ("laterlibrary",)

    def place(self, host):
        return Later(host.copy())

    def write(self, array, host):
        array.join()
        array.host[...] = host
        return array

    def fetch(self, array):
        array.join()
        return array.host


@pytest.fixture
def later(monkeypatch):
    """A case of a kernel of that library, and the library."""

    def product(a, b, out):
        def work():
            time.sleep(WORK_S)
            np.matmul(a.host, b.host, out=out.host)

        out.join()
        out.thread = threading.Thread(target=work)
        out.thread.start()

    library = Library()
    monkeypatch.setitem(arrays.LIBRARIES, "later", library)
    monkeypatch.setitem(arrays._by_package, "laterlibrary", "later")
    kernel = registry.Kernel("later", "full", product, arrays="later")
    monkeypatch.setitem(registry.PRODUCTS._entries, "later/full", kernel)
    return case(kernel, {"m": 8, "n": 8, "p": 8}, "float32"), library


def test_what_is_not_waited_for_is_caught(later):
    found = timing.measure(later[0], budget_s=0.01)
    assert "not waited for" in found.check.failure
    assert found.check.error <= found.check.bound  # its numbers are right: fetching them waits


def test_what_is_waited_for_takes_its_time(later, monkeypatch):
    monkeypatch.setattr(later[1], "wait", Later.join, raising=False)
    found = timing.measure(later[0], budget_s=0.01)
    assert found.check.failure is None
    assert found.check.waited
    assert min(found.samples_s) >= WORK_S


@pytest.mark.parametrize("waited", [True, False])
def test_a_rate_beyond_the_peak_fails_where_a_library_works_on_after_the_call(waited):
    one = case(registry.find("numpy/full"), {"m": 64, "n": 64, "p": 64}, "float32")
    limits = Ceilings(peaks=[Peak(dtype="float32", threads=1, gflops=100.0)], bandwidths=[])
    fast = timing.Slice([2 * 64**3 / 200e9] * 3, 1, 1.0, Check(0.0, 1.0, None, waited), {})
    found = runs.record(one, [fast] * 6, None, limits)
    assert found.passed != waited
    assert found.failure == ("200 GFLOPS, beyond the peak of 100: the clock stopped too early" if waited else None)
    assert found.gflops == (None if waited else pytest.approx(200))


def test_no_rate_passes_what_the_best_trial_makes_of_the_others():
    starved = Peak(dtype="float32", threads=2, gflops=4.4)
    limits = Ceilings(peaks=[starved, Peak(dtype="float64", threads=1, gflops=20.0)], bandwidths=[])
    assert derived.most(limits, "float32", 2) == 80
    assert derived.most(limits, "float64", 1) == 20


def test_an_array_of_a_library_is_known_by_where_its_type_is_defined(later):
    assert arrays.library(Later(np.zeros((2, 2)))) == "later"
    assert arrays.library([[1.0]]) is None
