"""How records stand to each other."""

from __future__ import annotations

import pytest
from runs_for_tests import make_record, make_run

from benchmarks.harness import relations
from kernels.cpu.caches import Cache

SHAPE = {"n": 1500, "d": 5, "k": 1, "batch": 10}


def cache(level, size):
    return Cache(level=level, size=size, ways=8, line=64, shared_by=1, source="sysfs")


def slab(width, rate):
    return make_record(kernel="numba/block", tile={"width": width}, gflops=rate, gflops_low=rate - 1, gflops_high=rate + 1)


def test_a_tile_fits_the_caches_of_the_machine_that_was_measured():
    slabs = [slab(8, 20.0), slab(64, 40.0)]
    small, large = [cache(1, 1 << 14), cache(2, 1 << 17)], [cache(1, 1 << 20)]
    assert [each.fits for each in relations.tiled(slabs, {}, small)] == ["L1", "L2"]
    assert [each.fits for each in relations.tiled(slabs, {}, large)] == ["L1", "L1"]
    assert [each.fits for each in relations.tiled(slabs, {}, [])] == ["memory", "memory"]


def test_a_predicted_tile_is_held_against_the_best():
    found = relations.tiled([slab(8, 20.0), slab(32, 39.0), slab(64, 40.0)], {"L1": {"width": 8}, "L2": {"width": 32}}, [])
    assert [each.predicted for each in found] == [["L1"], ["L2"], []]
    assert [each.percent_of_best for each in found] == pytest.approx([50, 97.5, 100])
    assert [each.overlaps_best for each in found] == [False, True, False]
    assert [each.best for each in found] == [False, False, True]


def test_an_epoch_is_compared_under_its_own_conditions():
    def epoch(kernel, batch, median_s, threads=1):
        return make_record(workload="sgd", kernel=kernel, shape=SHAPE | {"batch": batch}, median_s=median_s, threads=threads)

    fused = epoch("numba-fused", 10, 1e-5)
    run = make_run(fused, epoch("torch", 10, 4e-5), epoch("torch", 100, 9e-5), epoch("torch", 10, 7e-5, threads=2))
    assert relations.against(run, "torch", fused) == pytest.approx(4)
    assert relations.against(make_run(fused), "torch", fused) is None


@pytest.mark.parametrize(("limit_s", "times"), [(None, None), (1e-6, 10), (2e-5, 0.5)])
def test_an_epoch_takes_so_many_times_its_limit(limit_s, times):
    record = make_record(workload="sgd", kernel="numpy", shape=SHAPE, median_s=1e-5, limit_s=limit_s)
    assert relations.times_limit(record) == (times and pytest.approx(times))


def test_a_climb_goes_from_the_first_rung_to_the_fastest_kernel():
    first, top = make_record(kernel="numpy/elementwise", gflops=0.5), make_record()
    assert relations.climbs(make_run(first, top)) == [(top, first, 100.0)]
    assert relations.climbs(make_run(top)) == []
    assert relations.climbs(make_run(first)) == []
