"""Every step of the CPU passes the checks that others have from `minisgd.testing`, and each kind of wrong step fails one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from plugin import checked

from minisgd import steps
from minisgd.steps.numba_steps import on_gemm
from minisgd.testing import check
from minisgd.testing.epochs import problem, wrong

SLOW = "torch-compile"
"""It compiles for half a minute at each new shape."""

TestSteps = check(*(step.name for step in steps.available() if "cpu" in step.devices and step.name != SLOW))


@pytest.mark.parametrize("objective", ["squared", "logistic"])
@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_a_compiled_step_too(objective, batch_size):
    assert wrong(steps.find(SLOW).function, problem(objective, (40, 5, 1), "float32", 0), batch_size) is None


@pytest.mark.parametrize("batch_size", [1, 10, 57])
def test_a_step_on_any_product_too(batch_size):
    assert wrong(on_gemm("numpy/full"), problem("logistic", (57, 6, 3), "float32", 0), batch_size) is None


@pytest.mark.parametrize(("shape", "dtype"), [((300, 700, 1), "float32"), ((300, 300, 4), "float64")])
def test_wide_data_on_all_threads(shape, dtype):
    assert wrong(steps.find("numba-fused").function, problem("squared", shape, dtype, 0), 130) is None


WRONG = """
import ctypes, time
import numpy as np
from minisgd.steps import find, step

right = find("numpy").function

def wrong(name, change, **declared):
    def prepare(x, y, weights, bias, objective):
        epoch = right(x, y, weights, bias, objective)
        return lambda order, size, rate: change(epoch, (x, y, weights, bias), order, size, rate)
    step(f"wrong-{name}", dtypes=("float32",), **declared)(prepare)

def plain(epoch, arrays, order, size, rate):
    epoch(order, size, rate)

wrong("right", plain, threads=True)

def forgets(epoch, arrays, order, size, rate):
    epoch(order[: len(order) // size * size], size, rate)

wrong("forgets-the-short-batch", forgets)

def writes(epoch, arrays, order, size, rate):
    epoch(order, size, rate)
    order[0], order[-1] = order[-1], order[0]

wrong("writes-the-order", writes)

epochs = 0

def drifts(epoch, arrays, order, size, rate):
    global epochs
    epochs += 1
    epoch(order, size, rate * (1 + 1e-7 * epochs))

wrong("drifts", drifts)

def wraps(epoch, arrays, order, size, rate):
    epoch(order % len(arrays[0]), size, rate)

wrong("wraps", wraps)

def reads_on(epoch, arrays, order, size, rate):
    epoch(order, size, rate)
    ctypes.string_at(arrays[0].__array_interface__["data"][0] + arrays[0].nbytes, 1)

wrong("reads-on", reads_on)

shared = None

def shares(epoch, arrays, order, size, rate):
    global shared
    shared = order
    time.sleep(0.005)  # the others come meanwhile
    epoch(shared, size, rate) if len(shared) == len(order) else epoch(order, size, rate)

wrong("shares", shares)
"""
FAILURES = {
    "follows_the_trajectory": {"forgets-the-short-batch", "writes-the-order"},
    "same_weights": {"writes-the-order", "drifts"},
    "out_of_range": {"wraps"},
}


def test_each_kind_of_wrong_step_fails_the_check_that_is_for_it(tmp_path):
    said = checked(tmp_path, WRONG, "minisgd.steps", "minisgd", "-")
    for test, expected in FAILURES.items():
        failed = re.findall(rf"^FAILED .*{test}\w*\[.*wrong-([\w-]+)-float32", said, re.MULTILINE)
        assert set(failed) == expected, said
    assert re.search(r"wrong-reads-on float32, beside guarded memory: the process died of SIG", said)
    assert re.search(r"wrong-writes-the-order float32, beside guarded memory: the process died of SIG", said)
    assert re.search(r"wrong-shares float32, from several threads at once: .* away from", said)


def test_an_unknown_step_has_a_nearest_name():
    with pytest.raises(ValueError, match="unknown step 'numba-fussed': did you mean 'numba-fused'"):
        steps.find("numba-fussed")


ARGUMENTS = {
    "x": np.zeros((30, 5), np.float32), "y": np.zeros((30, 1), np.float32), "weights": np.zeros((5, 1), np.float32),
    "bias": np.zeros(1, np.float32), "objective": "squared",
}  # fmt: skip


@pytest.mark.parametrize("step", steps.available(), ids=lambda step: step.name)
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"objective": "hinge"}, "objective: expected squared or logistic, got 'hinge'"),
        ({"y": np.zeros((1, 1), np.float32)}, r"y: expected shape \(30, 1\), got \(1, 1\)"),
        ({"y": np.zeros(30, np.float32)}, "x and y: expected 2 dimensions each, got 2 and 1"),
        ({"weights": np.zeros((4, 1), np.float32)}, r"weights: expected shape \(5, 1\), got \(4, 1\)"),
        ({"bias": np.zeros(1)}, "bias: expected float32 as x is, got float64"),
    ],
)
def test_arguments_that_do_not_fit_are_named_alike_by_all_steps(step, changed, said):
    with pytest.raises(ValueError, match=said):
        step.function(**ARGUMENTS | changed)
