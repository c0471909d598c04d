"""Every step follows the float64 trajectory, whatever the shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from minisgd import steps
from minisgd.accuracy import reference
from minisgd.data import linear, logistic
from minisgd.steps.numba_steps import on_gemm

STEPS = {step.name: step.function for step in steps.available() if "cpu" in step.devices and not step.singles}
STEPS["on numpy/full"] = on_gemm("numpy/full")
SLOW = {"torch-compile"}


def follow(prepare, objective, dtype, n, d, k, batch_size, seed, rate=None):
    """Two epochs by an implementation and by the reference."""
    problem = (linear if objective == "squared" else logistic)(n, d, k, seed=seed).astype(dtype)
    random = np.random.default_rng(seed)
    weights, bias = random.standard_normal((d, k)).astype(dtype), random.standard_normal(k).astype(dtype)
    expected, expected_bias, allowed = weights, bias, 0.0
    rate = rate or 1.0 / (1 + np.square(problem.x).sum(axis=1).max())
    epoch = prepare(problem.x, problem.y, weights, bias, objective)
    for _ in range(2):
        order = random.permutation(n)
        arguments = (problem.x, problem.y, expected, expected_bias, objective, order, batch_size, rate, dtype)
        expected, expected_bias, more = reference(*arguments)
        allowed += more
        epoch(order, batch_size, rate)
    return np.linalg.norm(np.vstack([weights - expected, bias - expected_bias])), allowed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("objective", ["squared", "logistic"])
@pytest.mark.parametrize("name", [name for name in STEPS if name not in SLOW])
@given(n=st.integers(1, 60), d=st.integers(1, 70), k=st.integers(1, 8), batch=st.floats(0, 1), seed=st.integers(0, 99))
@example(n=57, d=5, k=1, batch=0.0, seed=0)
@example(n=57, d=6, k=1, batch=0.3, seed=0)
@example(n=57, d=1, k=1, batch=1.0, seed=0)
@example(n=1, d=7, k=1, batch=1.0, seed=0)
@example(n=23, d=70, k=8, batch=0.2, seed=0)
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
def test_the_trajectory_is_followed_within_the_bound(name, objective, dtype, n, d, k, batch, seed):
    batch_size = 1 + round(batch * (n - 1))
    distance, allowed = follow(STEPS[name], objective, dtype, n, d, k, batch_size, seed)
    assert distance <= allowed


@pytest.mark.parametrize("objective", ["squared", "logistic"])
@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_a_compiled_step_too(objective, batch_size):
    distance, allowed = follow(STEPS["torch-compile"], objective, "float32", 40, 5, 1, batch_size, 0)
    assert distance <= allowed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_peer_for_single_examples_too(dtype):
    peers = [step for step in steps.available() if step.singles]
    assert [step.name for step in peers] == ["sklearn"]
    distance, allowed = follow(peers[0].function, "squared", dtype, 57, 5, 1, 1, 0)
    assert distance <= allowed


def test_wide_data_on_all_threads():
    distance, allowed = follow(STEPS["numba-fused"], "squared", "float32", 300, 700, 1, 130, 0)
    assert distance <= allowed
    distance, allowed = follow(STEPS["numba-fused"], "squared", "float64", 300, 300, 4, 130, 0)
    assert distance <= allowed


def test_the_bound_tells_a_wrong_step_from_a_right_one():
    def forgets_the_last_short_batch(x, y, weights, bias, objective):
        right = STEPS["numpy"](x, y, weights, bias, objective)
        return lambda order, size, rate: right(order[: len(order) // size * size], size, rate)

    distance, allowed = follow(forgets_the_last_short_batch, "squared", "float32", 57, 5, 1, 10, 0)
    assert distance > 10 * allowed


@pytest.mark.parametrize("name", STEPS)
def test_data_are_left_alone_and_updates_are_in_place(name):
    problem = linear(30, 5).astype("float32")
    x, y, order = problem.x.copy(), problem.y.copy(), np.arange(30)
    weights, bias = np.zeros((5, 1), np.float32), np.zeros(1, np.float32)
    STEPS[name](problem.x, problem.y, weights, bias, "squared")(order, 7, 0.1)
    np.testing.assert_array_equal(problem.x, x)
    np.testing.assert_array_equal(problem.y, y)
    np.testing.assert_array_equal(order, np.arange(30))
    assert np.all(weights != 0)
    assert np.all(bias != 0)


def test_an_unknown_step_has_a_nearest_name():
    with pytest.raises(ValueError, match="unknown step 'numba-fussed': did you mean 'numba-fused'"):
        steps.find("numba-fussed")


@pytest.mark.parametrize("name", [name for name in STEPS if name not in SLOW])
@pytest.mark.parametrize(("d", "k", "batch_size"), [(5, 1, 1), (5, 1, 7), (40, 1, 7), (40, 3, 30), (3000, 1, 30)])
@pytest.mark.parametrize("visit", [30, 10**12])
def test_a_visit_out_of_range_is_an_index_error(name, d, k, batch_size, visit):
    problem = linear(30, d, k).astype("float32")
    weights, bias = np.zeros((d, k), np.float32), np.zeros(k, np.float32)
    order = np.arange(30)
    order[13] = visit
    with pytest.raises(IndexError):
        STEPS[name](problem.x, problem.y, weights, bias, "squared")(order, batch_size, 0.1)


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
