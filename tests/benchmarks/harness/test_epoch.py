from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import cases, timing
from benchmarks.harness.devices import Cpu
from benchmarks.harness.epoch import CHAIN_CYCLES, EXAMPLE_CYCLES, Epoch
from benchmarks.harness.records import Bandwidth, Ceilings, Peak
from kernels.vectors import vectors
from minisgd import steps
from minisgd.cli import UsageError


def case(step="numba-fused", batch=10, **shape):
    return cases.epochs([step], [{"n": 200, "d": 5, "k": 1} | shape], [batch], ["float32"], [1])[0]


@pytest.mark.parametrize("step", ["numpy", "numba-fused", "torch"])
def test_a_step_is_measured_and_checked(step):
    found = timing.measure(case(step), budget_s=0.01)
    assert found.check.failure is None
    assert found.check.error <= found.check.bound
    assert min(found.samples_s) > 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda x, y, w, b, order, size, rate: None, "left the trajectory"),
        (lambda x, y, w, b, order, size, rate: w.fill(np.nan), "left the trajectory"),
        (lambda x, y, w, b, order, size, rate: x.fill(0), "changed its data"),
    ],
    ids=["does nothing", "NaN", "writes to its data"],
)
def test_a_wrong_step_is_caught(monkeypatch, fault, reason):
    def prepare(x, y, weights, bias, objective):
        return lambda order, size, rate: fault(x, y, weights, bias, order, size, rate)

    monkeypatch.setitem(steps.STEPS._entries, "numba-fused", steps.Step("numba-fused", prepare))
    assert reason in Epoch(case(), Cpu()).check().failure


def ceilings(peak):
    served = {"L2": 1000.0, "memory": 10.0}
    levels = [Bandwidth(level=x, working_set=1 << 20, threads=1, read_gbs=y, copy_gbs=y) for x, y in served.items()]
    return Ceilings(peaks=[Peak(dtype="float32", threads=1, gflops=peak)], bandwidths=levels)


def test_the_limit_is_the_longest_of_its_parts():
    gigahertz = 3.0
    peak = gigahertz * 2 * vectors().fmas_a_cycle * vectors().lanes(4)
    chain = Epoch.limit_s(case(batch=1), ceilings(peak))
    assert chain == pytest.approx(200 * CHAIN_CYCLES / 3e9)
    assert Epoch.limit_s(case(batch=200), ceilings(peak)) == pytest.approx(200 * EXAMPLE_CYCLES / 3e9)
    wide = case(batch=200, d=1000)
    assert Epoch.limit_s(wide, ceilings(peak)) == pytest.approx((200 * 1001 * 4 + 8 * 200) / 10e9)
    outputs = case(batch=200, d=1000, k=1000)
    assert Epoch.limit_s(outputs, ceilings(peak)) == pytest.approx(Epoch.costs(outputs)["flops"] / peak / 1e9)
    assert Epoch.limit_s(case(), Ceilings(peaks=[], bandwidths=[])) is None


def test_costs_are_four_bdk_a_step_and_the_update():
    assert Epoch.costs(case(batch=10)) == {
        "flops": 4 * 200 * 5 + 20 * 2 * 6,
        "bytes": 200 * 6 * 4 + 200 * 8,
        "examples": 200,
    }


def test_batch_sizes_and_steps_are_checked():
    with pytest.raises(UsageError, match="--batch-size 201: expected 1 to 200"):
        case(batch=201)
    with pytest.raises(UsageError, match="--kernel numba-fussed: unknown step"):
        case("numba-fussed")
