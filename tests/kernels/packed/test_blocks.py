"""The packed product is right with blocks of any size, and a record says which it had."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import cases, timing
from kernels import registry
from kernels.accuracy import bound, error
from kernels.packed.blocks import with_blocks


@pytest.mark.parametrize("tile", [{"kc": 1, "mc": 1}, {"kc": 24, "mc": 40}, {"kc": 4096, "mc": 4096}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_of_any_size_give_the_product(tile, dtype):
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((61, 97), (131, 97)))
    out = np.full((61, 131), np.nan, dtype)
    product = with_blocks(tile)
    for _ in range(2):
        product(a, b.T, out)
    assert error(a, b.T, out) <= bound(97, dtype)


def test_a_case_with_blocks_is_measured_with_them():
    entry, tile = registry.find("numba/full"), {"kc": 8, "mc": 16}
    case = cases.case(entry, cases.parse_size("32"), "float32", tile=tile)
    assert case.title == "numba/full-32-kc8xmc16-float32-x1"
    assert timing.measure(case, 1e-3).check.failure is None
