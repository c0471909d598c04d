from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.harness import cases
from benchmarks.harness.machines import Bandwidth, Ceilings, Latency, Peak
from benchmarks.harness.workloads.sgd import Epoch
from benchmarks.harness.workloads.sgd_limit import bounds

RECORDED = json.loads(Path(__file__).with_name("recorded_epochs.json").read_text(encoding="utf-8"))

MEASURED = Ceilings(
    peaks=[Peak(dtype="float32", threads=1, gflops=400.0)],
    bandwidths=[
        Bandwidth(level=level, working_set=working_set, threads=1, read_gbs=read, copy_gbs=read)
        for level, working_set, read in (("L1", 1 << 14, 200.0), ("L2", 1 << 18, 100.0), ("memory", 1 << 22, 10.0))
    ],
    latencies=[Latency(dtype="float32", multiply_add_s=4e-9, add_s=3e-9)],
)


def case(batch=10, dtype="float32", threads=1, **shape):
    return cases.epochs(["numba-fused"], [{"n": 200, "d": 5, "k": 1} | shape], [batch], [dtype], [threads])[0]


def limit(ceilings=MEASURED, **asked):
    return Epoch.limit_s(case(**asked), ceilings)


@pytest.mark.parametrize("machine", RECORDED, ids=lambda machine: machine["cpu"])
def test_no_recorded_epoch_goes_below_the_limit(machine):
    ceilings = Ceilings.model_validate(machine["ceilings"])
    for epoch in machine["epochs"]:
        n, d, k = epoch["shape"]
        least = limit(ceilings, n=n, d=d, k=k, batch=epoch["batch"], dtype=epoch["dtype"], threads=epoch["threads"])
        assert least is not None
        assert epoch["seconds"] >= least, epoch


@pytest.mark.parametrize(("batch", "joined"), [(1, 4), (2, 4 + 3), (3, 4 + 3), (4, 4 + 2 * 3), (7, 4 + 2 * 3), (8, 4 + 3 * 3)])
def test_a_full_batch_waits_for_a_multiply_add_and_for_its_sums_in_pairs(batch, joined):
    assert bounds(case(n=1000, batch=batch), MEASURED)["chain"] == pytest.approx(1000 // batch * joined * 1e-9)


def test_a_last_batch_that_is_not_full_adds_nothing_that_is_sure():
    assert bounds(case(n=1000, batch=300), MEASURED)["chain"] == bounds(case(n=900, batch=300), MEASURED)["chain"]


def test_the_limit_is_the_longest_of_its_bounds():
    assert limit(batch=1) == bounds(case(batch=1), MEASURED)["chain"]
    assert limit(batch=200) == pytest.approx((200 * 6 * 4 + 200 * 8) / 200e9)
    assert limit(batch=200, d=500, k=500) == pytest.approx(4 * 200 * 500 * 500 / 400e9)


def test_what_caches_may_hold_is_not_read_from_memory():
    held = 1 << 21  # twice the outermost cache, of which the memory's working set is four times
    beyond = 200 * (4001 * 4 + 8) - held
    assert beyond > 0
    assert limit(batch=200, d=4000) == pytest.approx(beyond / 10e9)
    assert limit(batch=200, d=2000) == pytest.approx(200 * (2001 * 4 + 8) / 200e9)


def test_threads_that_held_each_other_up_do_not_make_the_limit_longer():
    slower = MEASURED.model_copy(
        update={
            "peaks": [*MEASURED.peaks, Peak(dtype="float32", threads=2, gflops=1.0)],
            "bandwidths": [
                *MEASURED.bandwidths,
                Bandwidth(level="memory", working_set=1 << 22, threads=2, read_gbs=0.1, copy_gbs=0.1),
            ],
        }
    )
    for d in (5, 4000):
        assert limit(slower, d=d, batch=200, threads=2) == limit(d=d, batch=200)


@pytest.mark.parametrize("batch", [1, 10, 64])
def test_more_examples_take_longer(batch):
    times = [limit(n=n, batch=batch) for n in range(64, 2000, 64)]
    assert times == sorted(set(times))


def test_batches_twice_as_large_take_no_longer():
    times = [limit(n=1024, batch=1 << power) for power in range(11)]
    assert times == sorted(times, reverse=True)
    assert times[0] > times[3] > times[-1]


@pytest.mark.parametrize("field", ["peaks", "bandwidths", "latencies"])
def test_there_is_no_limit_without_the_ceilings_that_it_follows_from(field):
    assert limit() is not None
    assert limit(MEASURED.model_copy(update={field: []})) is None
    assert limit(dtype="float64") is None
    assert limit(threads=2) is None


def test_ceilings_of_older_runs_load():
    older = MEASURED.model_dump(exclude={"latencies"})
    assert Ceilings.model_validate(older).latency("float32") is None
