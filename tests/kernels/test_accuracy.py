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


def stored(values, dtype):
    """Values that the arrays of a format can hold, in float64."""
    return cut(values, {"float16": 11, "bfloat16": 8, "tfloat32": 24}[dtype], nearest=True)


def cut(values, digits, nearest=False):
    """Values with so many binary digits left, the others cut off or rounded to nearest."""
    fraction, exponent = np.frexp(np.asarray(values, np.float64))
    scaled = fraction * 2.0**digits
    return np.ldexp(np.rint(scaled) if nearest else np.trunc(scaled), exponent - digits)


def tensor_core(a, b, dtype, operand_digits=24, sum_digits=24, block=4):
    """A product as a tensor core sums it: blocks aligned to their largest term, what lies below the last place cut off."""
    a, b, c = cut(a, operand_digits), cut(b, operand_digits), np.zeros((len(a), b.shape[1]))
    for k in range(0, a.shape[1], block):
        terms = np.stack([c, *(np.outer(a[:, i], b[i]) for i in range(k, min(k + block, a.shape[1])))])
        last_place = np.ldexp(1.0, np.frexp(np.abs(terms).max(axis=0))[1] - sum_digits)
        c = cut((np.trunc(terms / last_place) * last_place).sum(axis=0), sum_digits)
    return c if dtype == "tfloat32" else stored(c, dtype)


DIGITS = {"float16": 11, "bfloat16": 8, "tfloat32": 11}
SIZES = [1, 2, 5, 64, 700]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DIGITS)
def test_what_tensor_cores_do_is_within_the_bound(dtype, n):
    random = np.random.default_rng(n)
    a, b = stored(random.standard_normal((40, n)), dtype), stored(random.standard_normal((n, 40)), dtype)
    assert error(a, b, tensor_core(a, b, dtype, DIGITS[dtype])) <= bound(n, dtype)


@pytest.mark.parametrize(
    ("dtype", "operand"), [("float16", 1 + 2**-10), ("bfloat16", 1 + 2**-7), ("tfloat32", 1 + 2**-9 - 2**-23)]
)
def test_an_operand_that_lost_a_digit_too_many_is_beyond_the_bound(dtype, operand):
    a = np.array([[operand]])
    assert error(a, a, tensor_core(a, a, dtype, DIGITS[dtype])) <= bound(1, dtype)
    assert error(a, a, tensor_core(a, a, dtype, DIGITS[dtype] - 1)) > bound(1, dtype)


@pytest.mark.parametrize("dtype", DIGITS)
def test_sums_in_fewer_digits_than_float32_s_are_beyond_the_bound(dtype):
    ones = np.ones((1, 1 << 14))  # a 1 is lost on a sum of 2,048, or of 256, where sums have the operands' digits
    assert error(ones, ones.T, tensor_core(ones, ones.T, dtype)) <= bound(1 << 14, dtype)
    assert error(ones, ones.T, tensor_core(ones, ones.T, dtype, sum_digits=DIGITS[dtype])) > bound(1 << 14, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_result_that_lost_a_digit_too_many_is_beyond_the_bound(dtype):
    digits = DIGITS[dtype]
    for lost, within in ((2.0**-digits, True), (2.0 ** (1 - digits), False)):
        a = np.array([[1, lost]])
        assert (error(a, np.ones((2, 1)), np.ones((1, 1))) <= bound(2, dtype)) is within


def test_formats_are_ordered_as_their_digits_are():
    assert bound(64, "float64") < bound(64, "float32") < bound(64, "float16") < bound(64, "tfloat32") < bound(64, "bfloat16")
    assert gamma(64, "bfloat16") == gamma(64, "float16") == gamma(64, "tfloat32") > gamma(64, "float32")


def test_a_float16_too_small_for_its_digits_is_no_error():
    a, b = np.array([[2.0**-12]], np.float16), np.array([[2.0**-12 * 1.5]], np.float16)
    assert error(a, b, a @ b) == 0  # 1.5 times 2^-24 is stored as twice that, or once
    assert error(a, b, np.zeros((1, 1), np.float32)) == 1
