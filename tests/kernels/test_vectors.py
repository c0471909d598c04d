from __future__ import annotations

import pytest

from kernels.vectors import vectors


@pytest.mark.parametrize(
    ("name", "features", "width", "fmas"),
    [("znver4", "+avx512f,+avx2,+fma", 64, 1), ("icelake-server", "+avx512f,+avx2,+fma", 64, 2), ("znver4", "+avx2,+fma", 32, 2)],
)
def test_two_narrow_units_make_one_wide_one(name, features, width, fmas, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("NUMBA_CPU_NAME", name)
    monkeypatch.setenv("NUMBA_CPU_FEATURES", features)
    unit = vectors.__wrapped__()
    assert (unit.width, unit.fmas_a_cycle) == (width, fmas)
