"""The check of a product, on kernels whose error is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import cases
from benchmarks.harness.devices import Cpu
from benchmarks.harness.workloads import gemm
from benchmarks.harness.workloads.gemm import Product, sampled
from kernels import accuracy, registry
from kernels.dtypes import rounded


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


@pytest.mark.parametrize(
    ("m", "n", "p", "all_rows"), [(2048, 2048, 2048, True), (8192, 8192, 8192, False), (7, 1 << 20, 3, True)]
)
def test_of_a_large_product_a_row_of_each_stripe_is_compared(m, n, p, all_rows):
    rows = sampled(m, n, p, np.random.default_rng(0))
    assert (len(rows) == m) is all_rows
    assert {0, m - 1} <= set(rows.tolist())
    assert 4 * len(rows) * n * p <= gemm.CHECKED_FLOPS + 8 * n * p
    assert np.diff(rows).max() < 128  # so a tile of 128 rows is never missed


def test_a_wrong_tile_of_a_large_product_is_seen_and_so_is_an_unwritten_element_anywhere(monkeypatch):
    def wrong_tile(a, b, out):
        np.matmul(a, b, out=out)
        out[32:48, 5] += 1

    def unwritten(a, b, out):
        out[:, :] = a @ b
        out[33, 5] = np.nan

    for function, said in (
        (wrong_tile, "wrong result"),
        (unwritten, "left 1 of 2304 elements of out unwritten, the first at (33, 5)"),
    ):
        kernel = registry.Kernel("off", "full", function)
        monkeypatch.setattr(registry, "find", lambda name, kernel=kernel: kernel)
        monkeypatch.setattr(gemm, "CHECKED_FLOPS", 4 * 48 * 48 * 6)  # six stripes of eight rows
        (case,) = cases.generate([kernel], [{"m": 48, "n": 48, "p": 48}], ["float32"], [1])
        assert said in Product(case, Cpu()).check().failure


def test_the_rows_are_others_from_one_check_to_the_next(monkeypatch):
    monkeypatch.setattr(gemm, "CHECKED_FLOPS", 4 * 48 * 48 * 6)
    (case,) = cases.generate(cases.select(["numpy/full"]), [{"m": 48, "n": 48, "p": 48}], ["float32"], [1])
    product, seen = Product(case, Cpu()), set()
    for _ in range(4):
        assert product.check().failure is None
        seen.add(tuple(product._rows))
    assert len(seen) > 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "tfloat32"])
def test_operands_are_values_that_their_type_has(dtype):
    kernel = registry.Kernel("half", "full", lambda a, b, out: None, devices=("cuda",), dtypes=(dtype,))
    (case,) = cases.generate([kernel], [{"m": 9, "n": 8, "p": 7}], [dtype], [1], device="cuda")
    placed = []

    class Watched(Cpu):
        def place(self, host, library, dtype=None):
            placed.append((host, dtype))
            return super().place(host, library)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "find", lambda name: kernel)
        Product(case, Watched())
    assert [named for _, named in placed] == [dtype] * 3
    for host, _ in placed[:2]:
        np.testing.assert_array_equal(rounded(host, dtype), host)
    assert Product.costs(case)["bytes"] == (9 * 8 + 8 * 7 + 9 * 7) * (4 if dtype == "tfloat32" else 2)
