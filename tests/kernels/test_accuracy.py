from __future__ import annotations

import numpy as np
import pytest

from kernels.accuracy import bound, error, gamma


def test_the_bound_is_higham_s():
    u = 2.0**-24
    assert gamma(100, "float32") == pytest.approx(100 * u / (1 - 100 * u), rel=1e-12)
    # The reference, in float64, has an error of its own: next to nothing beside float32's, as much as float64's.
    assert gamma(100, "float32") < bound(100, "float32") < (1 + 1e-8) * gamma(100, "float32")
    assert bound(100, "float64") == pytest.approx(2 * gamma(100, "float64"), rel=1e-12)


def test_the_reference_has_more_digits_than_the_product():
    a, b = np.array([[1.0, 2.0**-13]], np.float32), np.array([[1.0], [2.0**-13]], np.float32)
    assert error(a, b, a @ b) == pytest.approx(2.0**-26, rel=1e-6)  # what float32 rounds away, in its own product too


def test_an_error_is_relative_to_the_product_of_magnitudes():
    a, b = np.array([[1.0, -1.0]]), np.array([[2.0], [2.0]])
    assert error(a, b, np.array([[0.5]])) == 0.5 / 4  # the product is 0, |A||B| is 4
    assert error(a / 4, b / 4, np.array([[0.125]])) == 0.125 / 0.25


def test_what_is_missing_is_infinitely_wrong():
    assert error(np.ones((1, 1)), np.ones((1, 1)), np.array([[np.nan]])) == np.inf
    assert error(np.zeros((1, 1)), np.zeros((1, 1)), np.array([[1e-30]])) == np.inf
    assert error(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1))) == 0


def test_the_empty_product():
    assert error(np.ones((0, 3)), np.ones((3, 0)), np.ones((0, 0))) == 0
    assert error(np.ones((2, 0)), np.ones((0, 2)), np.ones((2, 2))) == np.inf


def test_a_product_in_lower_precision_exceeds_the_bound():
    random = np.random.default_rng(0)
    a, b = (random.standard_normal((64, 64)).astype(np.float32) for _ in range(2))
    half = (a.astype(np.float16) @ b.astype(np.float16)).astype(np.float32)
    assert error(a, b, a @ b) < bound(64, "float32") < error(a, b, half)
