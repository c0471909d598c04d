"""The check of a product, on kernels whose error is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import cases
from benchmarks.harness.devices import Cpu
from benchmarks.harness.workloads.gemm import Product
from kernels import accuracy, registry


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("share", "passes"), [(0.5, True), (2.0, False), (-2.0, False)])
def test_one_element_beyond_the_bound_is_a_wrong_result(monkeypatch, dtype, share, passes):
    """One of a product in full precision is off by so many times what rounding may do."""

    def off(a, b, out):
        out[...] = a.astype(np.float64) @ b
        out[1, 2] += share * accuracy.bound(a.shape[1], dtype) * (abs(a[1].astype(np.float64)) @ abs(b[:, 2]))

    kernel = registry.Kernel("off", "full", off)
    monkeypatch.setattr(registry, "find", lambda name: kernel)
    (case,) = cases.generate([kernel], [{"m": 3, "n": 2000, "p": 4}], [dtype], [1])
    found = Product(case, Cpu()).check()
    assert (found.failure is None) is passes
    assert found.error == pytest.approx(abs(share) * found.bound, rel=0.1)
