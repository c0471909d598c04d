from __future__ import annotations

import pytest

from kernels.cpu.vectors import vectors


@pytest.mark.parametrize(
    ("variable", "value"), [("NUMBA_CPU_NAME", "generic"), ("NUMBA_ENABLE_AVX", "0"), ("NUMBA_CPU_FEATURES", "+sse4.2")]
)
def test_vectors_that_numba_is_told_to_leave_alone(variable, value, monkeypatch):
    host = {"avx": True, "avx2": True, "fma": True, "avx512f": True}
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: host)
    for each in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX"):
        monkeypatch.delenv(each, raising=False)
    assert vectors.__wrapped__().name == "AVX-512"
    monkeypatch.setenv(variable, value)
    assert vectors.__wrapped__().name == "128-bit"


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
