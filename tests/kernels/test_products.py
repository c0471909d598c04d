"""One generic checker for every kernel in the table: any shape, any layout, any values, within the derived bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from layouts import combinations, place

import kernels
from kernels.accuracy import error

KERNELS = {kernel.name: kernel for kernel in kernels.available() if "cpu" in kernel.devices}
LEAVE_OUT_ZEROS = ("aocl/full",)
"""Like the reference BLAS, it may skip what is multiplied by a zero, be that an infinity."""

FEW = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
SIZES = st.one_of(st.integers(0, 70), st.sampled_from([0, 1, 2, 3, 5, 7, 31, 61, 67]))


def multiply(name, a, b, layouts):
    """The product by a kernel into a poisoned `out`, on operands laid out as asked; and what it did to its inputs."""
    library = KERNELS[name].arrays
    out = layouts[2](np.full((a.shape[0], b.shape[1]), np.nan, a.dtype))
    laid = [layouts[0](a), layouts[1](b), out]
    kernels.matmul(*(place(x, library) for x in laid[:2]), out=place(out, library), kernel=name)
    np.testing.assert_array_equal(laid[0], a)
    np.testing.assert_array_equal(laid[1], b)
    return np.array(out)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERNELS)
@given(m=SIZES, n=SIZES, p=SIZES, seed=st.integers(0, 2**32 - 1), data=st.data())
@FEW
def test_within_the_bound_for_every_shape_and_layout(name, dtype, m, n, p, seed, data):
    if name == "python/elementwise":
        m, n, p = m // 4, n, p // 4  # seventy cubed is seconds in the interpreter
    layouts = data.draw(st.sampled_from(combinations(KERNELS[name].arrays)))
    random = np.random.default_rng(seed)
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p)))
    assert error(a, b, multiply(name, a, b, layouts)) <= KERNELS[name].bound(n, dtype)


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERNELS)
@given(data=st.data())
@example(data=None)
@FEW
def test_infinities_and_nans_spread_as_in_numpy(name, dtype, data):
    random = np.random.default_rng(1)
    m, n, p = (9, 13, 11) if data is None else [data.draw(st.integers(1, 40)) for _ in range(3)]
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p)))
    special = st.sampled_from([math.inf, -math.inf, math.nan, *([] if name in LEAVE_OUT_ZEROS else [0.0])])
    for x in (a, b):
        for _ in range(3 if data else 0):
            i, j = data.draw(st.integers(0, x.shape[0] - 1)), data.draw(st.integers(0, x.shape[1] - 1))
            x[i, j] = data.draw(special)
    if data is None:
        a[3, 5], b[5, 2], a[4, 0] = math.inf, 1.0 if name in LEAVE_OUT_ZEROS else 0.0, math.nan
    layouts = combinations(KERNELS[name].arrays)[0]
    expected, got = np.matmul(a.astype(np.float64), b.astype(np.float64)), multiply(name, a, b, layouts)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.where(finite, 0, expected), np.where(np.isfinite(got), 0, got))


@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.tile_for("float32")])
@pytest.mark.parametrize("edge", [1, 3, 8, 100])
def test_any_tile_size_gives_the_same_product(name, edge):
    kernel, random = KERNELS[name], np.random.default_rng(2)
    a, b = (random.standard_normal(shape).astype(np.float32) for shape in ((19, 23), (23, 17)))
    out = np.full((19, 17), np.nan, np.float32)
    kernel.bind(dict.fromkeys(kernel.tile_for("float32"), edge))(*(place(x, kernel.arrays) for x in (a, b, out)))
    assert error(a, b, out) <= kernel.bound(23, "float32")
