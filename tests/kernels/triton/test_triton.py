"""Without a GPU: the products are interpreted, and compiled for one, each in a process of its own that has triton."""

from __future__ import annotations

from pathlib import Path

import cuda_python
import pytest
from plugin import python

from kernels.triton.configurations import ACCUMULATORS, CONFIGURATIONS, SHARED_BYTES, candidates, choose

APART = Path(__file__).parent / "apart"


def test_without_triton_a_kernel_says_how_to_install_it():
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "triton":
            raise ModuleNotFoundError("No module named 'triton'", name="triton")
sys.meta_path.insert(0, Absent())
import kernels
for name in ("triton/full", "triton-tf32/full"):
    try:
        kernels.find(name)
    except kernels.Unavailable as error:
        print(error)
"""
    said = "kernel '{}/full' is unavailable: triton is not installed: pip install triton"
    assert python(code).splitlines() == [said.format("triton"), said.format("triton-tf32")]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("checks", "interpreted"), [("interpreted", "1"), ("compiled", "0")])
def test_without_a_device(checks, interpreted, tmp_path):
    cuda_python.check(APART / f"{checks}.py", TRITON_INTERPRET=interpreted, TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.parametrize("dtype", CONFIGURATIONS)
@pytest.mark.parametrize("described", [True, False])
def test_the_largest_tile_that_fills_the_gpu_is_chosen(dtype, described):
    sizes = [1, 64, 300, 1000, 2000, 4000, 8000]
    chosen = [choose(dtype, size, size, 132, described) for size in sizes]
    areas = [each.bm * each.bp for each in chosen]
    assert areas == sorted(areas)
    listed = [each for each in CONFIGURATIONS[dtype] if described or not each.persistent]
    assert (chosen[0], chosen[-1]) == (listed[-1], listed[0])
    for size, each in zip(sizes, chosen, strict=True):
        larger = listed[: listed.index(each)]
        assert each == listed[-1] or each.tiles(size, size) >= 132
        assert all(one.tiles(size, size) < 132 for one in larger)


@pytest.mark.parametrize("itemsize", [2, 4])
@pytest.mark.parametrize("persistent", [True, False])
def test_what_may_be_searched_fits(itemsize, persistent):
    found = list(candidates(itemsize, persistent))
    assert len(found) == len(set(found)) > 20
    for each in found:
        assert each.shared_bytes(itemsize) <= SHARED_BYTES
        assert each.bm * each.bp // (32 * each.warps) <= ACCUMULATORS
        assert each.persistent is persistent
