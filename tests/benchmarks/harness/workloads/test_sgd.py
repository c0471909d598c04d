from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import cases, timing
from benchmarks.harness.devices import Cpu
from benchmarks.harness.workloads.sgd import Epoch
from minisgd import steps
from minisgd.common.cli import UsageError


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


class Hidden:
    """An array that numpy cannot see into."""

    def __init__(self, hidden):
        self.hidden, self.shape = hidden, hidden.shape

    def __array__(self, *args, **kwargs):
        raise AssertionError("the harness looked into device memory")


class Elsewhere(Cpu):
    """A device with memory of its own."""

    def place(self, host, library, dtype=None):
        assert library == "torch"
        return Hidden(host.copy())

    def write(self, array, host):
        array.hidden[...] = host

    def fetch(self, array):
        return array.hidden.copy()


@pytest.mark.parametrize("wrong", [False, True])
def test_an_epoch_on_another_device_is_checked_there(monkeypatch, wrong):
    def prepare(x, y, weights, bias, objective):
        epoch = steps.find("numpy").function(*(each.hidden for each in (x, y, weights, bias)), objective)

        def there(order, batch, rate):
            epoch(order.hidden, batch, rate * (1 + wrong))

        return there

    monkeypatch.setitem(steps.STEPS._entries, "numba-there", steps.Step("numba-there", prepare, devices=("cuda",)))
    (made,) = cases.epochs(["numba-there"], [{"n": 200, "d": 5, "k": 1}], [10], ["float32"], [1], "cuda")
    epoch = Epoch(made, Elsewhere())
    for call in epoch.calls(2):
        call()
    found = epoch.check()
    assert (found.failure is not None) is wrong
    assert (found.error <= found.bound) is not wrong
