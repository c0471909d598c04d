"""Sums of gradients against float64 ones, whatever the shape and however many rows."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.accuracy import gamma
from minisgd.data import linear, logistic
from minisgd.objectives import residual
from minisgd.steps import gradients

SCALE = 0.37


def prepared(objective, dtype, d, k):
    problem = (linear if objective == "squared" else logistic)(60, d, k).astype(dtype)
    random = np.random.default_rng(0)
    weights, bias = random.standard_normal((d, k)).astype(dtype), random.standard_normal(k).astype(dtype)
    return problem, weights, bias, gradients.prepare(problem.x, problem.y, weights, bias, objective)


def exact(problem, weights, bias, rows):
    """Sums in float64, and what they may be off by: `minisgd.accuracy` has the bound."""
    a = np.column_stack([problem.x, np.ones(len(problem.x))]).astype(np.float64)[rows]
    v, y = np.vstack([weights, bias]).astype(np.float64), problem.y[rows].astype(np.float64)
    size = np.abs(a)
    rounding = 4 * gamma(a.shape[1] + len(rows) + 8, str(problem.x.dtype))
    return SCALE * a.T @ residual(problem.objective, a @ v, y), rounding * SCALE * size.T @ (size @ np.abs(v) + np.abs(y) + 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("objective", ["squared", "logistic"])
@pytest.mark.parametrize(("d", "k"), [(1, 1), (5, 1), (6, 1), (7, 1), (40, 1), (5, 3)])
def test_sums_are_those_of_float64(objective, dtype, d, k):
    problem, weights, bias, gradient = prepared(objective, dtype, d, k)
    random = np.random.default_rng(1)
    for count in (60, 17, 8, 9, 7, 1, 0, 33):
        rows = random.permutation(60)[:count]
        expected, allowed = exact(problem, weights, bias, rows)
        sums = gradient(rows, SCALE)
        assert (sums.shape, sums.dtype) == ((d + 1, k), np.dtype(dtype))
        assert (np.abs(sums - expected) <= allowed).all(), count


@pytest.mark.parametrize("d", [5, 40])
def test_the_weights_of_the_moment_count_and_the_update_subtracts(d):
    problem, weights, bias, gradient = prepared("squared", "float64", d, 1)
    before, rows = np.vstack([weights, bias]), np.arange(20)
    expected, _ = exact(problem, weights, bias, rows)
    gradients.update(weights, bias, gradient(rows, SCALE))
    np.testing.assert_allclose(np.vstack([weights, bias]), before - expected, rtol=1e-12, atol=1e-12)
    again, allowed = exact(problem, weights, bias, rows)
    assert (np.abs(gradient(rows, SCALE) - again) <= allowed).all()
    assert np.abs(again - expected).max() > 1000 * allowed.max()


@pytest.mark.parametrize(("d", "k"), [(5, 1), (40, 1), (5, 3)])
@pytest.mark.parametrize("row", [-1, 60, 10**12])
def test_a_row_out_of_range_is_an_index_error(d, k, row):
    *_, gradient = prepared("squared", "float32", d, k)
    with pytest.raises(IndexError):
        gradient(np.array([3, row, 5]), SCALE)


def test_arguments_that_do_not_fit_are_named():
    problem = linear(30, 5).astype("float32")
    with pytest.raises(ValueError, match="bias: expected float32 as x is, got float64"):
        gradients.prepare(problem.x, problem.y, np.zeros((5, 1), np.float32), np.zeros(1), "squared")
