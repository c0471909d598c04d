from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.cpu.caches import Cache
from kernels.rungs.loop_tiles import COLUMNS, ITEMSIZE, cycles, loop_tiling, predict, resident_bytes, square_tiling

SWEEPS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((Path(__file__).parent / "sweeps").glob("*.json"))
}
CASES = [
    (machine, sweep["dtype"], sweep["n"], rung)
    for machine, found in SWEEPS.items()
    for sweep in found["sweeps"]
    for rung in ("tiled", "block")
]
DTYPES = list(ITEMSIZE)


def named(derivations):
    return {each.name: each.result for each in derivations}


@pytest.mark.parametrize(("machine", "dtype", "n", "rung"), CASES)
def test_the_predicted_tile_reaches_nine_tenths_of_the_best_of_a_recorded_sweep(machine, dtype, n, rung):
    """Each file in sweeps/ is of one machine: a row is a tile and its GFLOPS, a cache the arguments of `Cache`."""
    found = SWEEPS[machine]
    (sweep,) = (each for each in found["sweeps"] if (each["dtype"], each["n"]) == (dtype, n))
    rates = {tuple(tile): rate for *tile, rate in sweep[rung]}
    hierarchy = [Cache(*level) for level in found["caches"]]
    expected = predict(f"numba/{rung}", dtype, hierarchy, {"m": n, "n": n, "p": n}, found["loaded_bytes_a_cycle"])
    (predicted,) = (tuple(each.tile.values()) for name, each in expected.items() if name.endswith("(chosen)"))
    assert rates[predicted] >= 0.9 * max(rates.values())


@given(
    dtype=st.sampled_from(DTYPES),
    kib=st.integers(16, 65536),
    shape=st.fixed_dictionaries(dict.fromkeys("mnp", st.integers(1, 5000))),
    kernel=st.sampled_from(["numba/tiled", "numpy/tiled", "numba/block", "numpy/block"]),
)
def test_a_predicted_tile_fits_its_cache_and_the_product(dtype, kib, shape, kernel):
    cache = Cache(2, kib << 10, 8, 64, 1, "x")
    (tile,) = (each.tile for each in predict(kernel, dtype, [cache], shape).values())
    assert all(0 < size <= shape[name[1] if len(name) == 2 else "p"] for name, size in tile.items())
    narrowest = tile.get("width", tile.get("tp", 0)) <= COLUMNS
    assert narrowest or resident_bytes(kernel, tile, dtype, shape["n"]) <= cache.size


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_larger_cache_makes_the_loops_tile_longer_and_wider(dtype):
    sizes = [named(loop_tiling(dtype, Cache(2, kib << 10, 8, 64, 1, "x"))) for kib in (32, 256, 2048, 16384)]
    for smaller, larger in pairwise(sizes):
        assert larger["tn"] > smaller["tn"]
        assert larger["tp"] >= smaller["tp"]
    assert all(each["tn"] & (each["tn"] - 1) == 0 and each["tn"] > 4 * each["tp"] for each in sizes)


@pytest.mark.parametrize("dtype", DTYPES)
@given(kib=st.integers(64, 4096), n=st.integers(256, 5000))
def test_no_tile_of_the_same_room_costs_much_less(dtype, kib, n):
    cache = Cache(2, kib << 10, 8, 64, 1, "x")
    size = named(loop_tiling(dtype, cache, 16, n))
    found = cycles({**size, "tm": n}, cache, dtype, 16, loaded=64)
    for tn in range(32, n, 32):
        tp = size["A"] // tn // COLUMNS * COLUMNS
        if tp:
            assert found < 1.07 * cycles({"tm": n, "tn": tn, "tp": tp}, cache, dtype, 16, loaded=64)


def test_a_core_that_loads_little_does_not_gain_by_the_first_level():
    hierarchy = [Cache(1, 32 << 10, 8, 64, 1, "x"), Cache(2, 512 << 10, 8, 64, 1, "x")]
    shape = {"m": 256, "n": 256, "p": 256}
    assert "L2 (chosen)" in predict("numba/tiled", "float32", hierarchy, shape, loaded=32)
    assert "L1 (chosen)" in predict("numba/tiled", "float32", hierarchy, shape, loaded=128)


def test_a_blas_gets_squares_and_no_choice():
    hierarchy = [Cache(1, 32 << 10, 8, 64, 1, "x"), Cache(2, 512 << 10, 8, 64, 1, "x")]
    found = predict("torch/tiled", "float64", hierarchy, {"m": 999, "n": 999, "p": 100})
    assert {name: each.tile["tn"] for name, each in found.items()} == {"L1": 32, "L2": 144}
    assert found["L2"].tile["tp"] == 100


@pytest.mark.parametrize("dtype", DTYPES)
def test_three_square_tiles_fill_the_cache_and_no_more(dtype):
    cache = Cache(1, 32 << 10, 8, 64, 1, "x")
    edge = square_tiling(dtype, cache)[0].result
    for larger, fits in ((0, True), (8, False)):
        tile = dict.fromkeys(("tm", "tn", "tp"), edge + larger)
        assert (resident_bytes("numpy/tiled", tile, dtype, 0) <= cache.size) is fits


def test_sweeps_of_a_machine_are_there():
    assert {rung for *_, rung in CASES} == {"tiled", "block"}
