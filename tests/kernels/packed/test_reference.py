"""The loops to be read give the same product as those that run."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.packed import gemm
from kernels.packed.reference import Sizes, blocked

SMALL = Sizes(nr=6, mr=16, kc=20, mc=32, chunk=8)


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 20, 16), (7, 21, 17), (13, 45, 70), (12, 40, 64), (50, 19, 33)])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (2.0, 1.0), (-1.0, 3.0)])
def test_the_reference_gives_the_same_product(shape, alpha, beta):
    """Of small whole numbers, whose products and sums are exact in any order."""
    random, (m, n, p) = np.random.default_rng(0), shape
    a, b, c = (random.integers(-8, 8, size).astype(np.float64) for size in ((m, n), (n, p), (m, p)))
    expected = c.copy()
    gemm(a, b, expected, alpha, beta)
    blocked(a, b, c, alpha, beta, SMALL)
    np.testing.assert_array_equal(c, expected)


def test_the_reference_does_not_read_c_where_beta_is_zero():
    a, c = np.ones((7, 30)), np.full((7, 7), np.nan)
    blocked(a, a.T, c, 1.0, 0.0, SMALL)
    assert (c == 30).all()
