from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.cpu.caches import Cache
from kernels.cpu.tiles import packed_tiling, register_tile
from kernels.cpu.vectors import Vectors

AVX2, AVX512, NEON = Vectors("AVX2", 32, 16), Vectors("AVX-512", 64, 32), Vectors("NEON", 16, 32)
ZEN3 = [Cache(1, 32 << 10, 8, 64, 1, "x"), Cache(2, 512 << 10, 8, 64, 1, "x"), Cache(3, 32 << 20, 16, 64, 2, "x")]


def named(derivations):
    return {each.name: each.result for each in derivations}


def test_the_published_sizes_for_zen_3():
    assert named(packed_tiling("float32", ZEN3, AVX2)) == {"mr": 16, "nr": 6, "kc": 320, "mc": 304, "nc": 4080}
    assert register_tile(4, AVX2) == (8, 6)  # float64, as in BLIS


@pytest.mark.parametrize("unit", [AVX2, AVX512, NEON], ids=lambda unit: unit.name)
@pytest.mark.parametrize("size", [4, 8])
def test_a_register_tile_fits_the_registers_and_hides_the_latency(unit, size):
    mr, nr = register_tile(unit.lanes(size), unit)
    rows = mr // unit.lanes(size)
    assert rows * nr + rows + (nr if unit.early else 1) <= unit.registers
    assert rows * nr >= unit.fma_latency * unit.fmas_a_cycle


@given(
    dtype=st.sampled_from(["float32", "float64"]),
    unit=st.sampled_from([AVX2, AVX512, NEON]),
    kib=st.tuples(st.integers(16, 128), st.integers(256, 4096), st.integers(2048, 65536)),
    ways=st.tuples(st.integers(2, 16), st.integers(2, 20), st.integers(4, 20)),
)
def test_packed_blocks_fit_their_caches_on_any_machine(dtype, unit, kib, ways):
    levels = [Cache(i + 1, size << 10, way, 64, 1, "x") for i, (size, way) in enumerate(zip(kib, ways, strict=True))]
    tile, size = named(packed_tiling(dtype, levels, unit)), {"float32": 4, "float64": 8}[dtype]
    assert tile["mr"] * tile["kc"] * size <= levels[0].size
    assert tile["mc"] % tile["mr"] == tile["nc"] % tile["nr"] == 0
    assert min(tile.values()) > 0
    assert tile["mc"] == tile["mr"] or tile["mc"] * tile["kc"] * size <= levels[1].size
    assert tile["nc"] <= 4080


def test_without_a_third_level_nc_is_capped():
    assert named(packed_tiling("float32", ZEN3[:2], AVX2))["nc"] == 4080
