"""A class of tests for pytest to collect: any shape, layout, values and tile, within the bound that a kernel declares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernels import accuracy, arrays, registry
from kernels.registry import Kernel
from kernels.testing import apart, layouts, products
from kernels.testing.parameters import of_each, require_cpu
from kernels.testing.trials import complaints

IN_NUMPY = ("float16", "float32", "float64")
"""Element types that numpy's arrays have; bfloat16 is none."""

SPECIAL = (math.inf, -math.inf, math.nan, 0.0)
FEW = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
SIZES = st.one_of(st.integers(0, 70), st.sampled_from([0, 1, 2, 3, 5, 7, 31, 61, 67]))
DRAWN = {"shape": st.tuples(SIZES, SIZES, SIZES), "seed": st.integers(0, 2**32 - 1), "data": st.data()}
EDGES = (1, 3, 8, 100)

Case = tuple[Kernel, str]
"""A kernel and a dtype that it takes."""


def check(*names: str, special: Sequence[float] = SPECIAL) -> type:
    """Make the tests of kernels, for a module of tests to give a name that pytest collects.

    They are those that this package's own kernels pass: products of every shape, layout and tile within the declared bound;
    special values that spread as in numpy; inputs that stay as they were; no access beside the arrays, which lie between pages
    without any; products by several of a caller's threads at once, and on one thread, two and three.

    Parameters
    ----------
    names : str
        Of kernels that run on the CPU, "backend/rung", each registered by an entry point or before this call.
    special : sequence of float
        Values that spread as in numpy. A kernel that, like the reference BLAS, may skip what is multiplied by a zero leaves
        out 0; one that adds up elements of an operand, as Strassen's does, spreads none of them so: ``special=()``.

    Returns
    -------
    type

    Raises
    ------
    UnknownKernel
        If there is none of that name; the message has the nearest one.
    Unavailable
        If a kernel's backend cannot be imported; the message has the reason.
    ValueError
        If a kernel does not run on the CPU.

    Examples
    --------
    >>> TestMine = check("numpy/full")
    """
    kernels = [registry.find(name) for name in names]
    require_cpu("kernel", kernels)
    cases = [(kernel, dtype) for kernel in kernels for dtype in kernel.dtypes if accuracy.array_type(dtype) in IN_NUMPY]
    members = {
        "test_every_shape_and_layout_within_its_bound": of_each("kernel", cases)(FEW(given(**DRAWN)(within_its_bound))),
        "test_guarded_memory_and_threads": _apart(cases),
    }
    if special:
        members["test_special_values_spread_as_in_numpy"] = of_each("kernel", cases)(_spread(tuple(special)))
    if tiled := [(kernel, dtype) for kernel, dtype in cases if kernel.tile_for(dtype)]:
        members["test_any_tile_gives_the_product"] = of_each("kernel", tiled)(pytest.mark.parametrize("edge", EDGES)(_any_tile()))
    return type("TestKernels", (), members)


def within_its_bound(self: object, kernel: Kernel, dtype: str, shape: tuple[int, int, int], seed: int, data: Any) -> None:
    """Hold a product of any shape and layout to the kernel's own bound."""
    laid = data.draw(st.sampled_from(layouts.combinations(kernel.arrays)))
    if found := products.wrong(kernel, dtype, shape, laid, seed):
        pytest.fail(f"{kernel.name} {dtype}: {found}")


def _apart(cases: list[Case]) -> Callable[[object], None]:
    """One process for all, as long as none crashes."""

    def test(self: object) -> None:
        trials = [trial for kernel, dtype in cases for trial in apart.trials(kernel, dtype)]
        if found := list(complaints(trials)):
            pytest.fail("\n".join(found))

    return test


def _spread(special: tuple[float, ...]) -> Callable[..., None]:
    """Put special values anywhere in the operands; what is not finite is then where, and what, it is in numpy's product."""

    @pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
    @given(data=st.data())
    @example(data=None)
    @FEW
    def test(self: object, kernel: Kernel, dtype: str, data: Any) -> None:
        shape = (9, 13, 11) if data is None else tuple(data.draw(st.integers(1, 40)) for _ in range(3))
        a, b = products.operands(shape, dtype, seed=1)
        for k, value in enumerate(special if data is None else ()):
            a[k, k], b[k, -1], b[-1 - k, k] = value, special[-1 - k], value
        for x in (a, b) if data else ():
            for _ in range(3):
                i, j = (data.draw(st.integers(0, edge - 1)) for edge in x.shape)
                x[i, j] = data.draw(st.sampled_from(special))
        expected = np.matmul(a.astype(np.float64), b.astype(np.float64))
        c, changed = products.multiply(kernel, a, b, layouts.combinations(kernel.arrays)[0])
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.where(np.isfinite(c), 0, c), np.where(finite, 0, expected))
        assert not changed, f"{kernel.name} {dtype}: {changed}"

    made: Callable[..., None] = test
    return made


def _any_tile() -> Callable[..., None]:
    def test(self: object, kernel: Kernel, dtype: str, edge: int) -> None:
        library, (a, b) = arrays.LIBRARIES[kernel.arrays], products.operands((19, 23, 17), dtype, seed=2)
        placed = [library.place(each) for each in (a, b, np.full((19, 17), np.nan, a.dtype))]
        returned = kernel.bind(dict.fromkeys(kernel.tile_for(dtype), edge))(*placed)
        c = library.fetch(placed[2] if returned is None else returned)
        if found := products.beyond(kernel, a, b, c, dtype):
            pytest.fail(f"{kernel.name} {dtype}, tiles of {edge}: {found}")

    return test
