"""What pages are made from in tests: runs, epochs, a sweep of tiles, experiments, series and a gate's outcome."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from runs_for_tests import CEILINGS, MACHINE, make_record, make_run

from benchmarks.gate.outcome import Outcome, Row
from benchmarks.gate.verdict import Verdict
from benchmarks.harness.machines import Bandwidth
from benchmarks.report.sources import Sources
from benchmarks.trackers.asv import Point
from benchmarks.trackers.history import series
from kernels.cpu.caches import Cache
from minisgd.experiments.variants import PANELS

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> & "quotes" ' + "long" * 200
SIZES = (64, 128, 256, 512)
SPEEDS = {
    "python/elementwise": 0.002, "numpy/elementwise": 0.09, "numpy/rowwise": 15.5, "numpy/block": 17.9, "numpy/full": 38.2,
    "numba/elementwise": 1.85, "numba/rowwise": 13.4, "numba/columnwise": 16.9, "numba/block": 19.9, "numba/tiled": 19.1,
    "numba/full": 41.2, "torch/elementwise": 0.01, "torch/full": 35.3, "openblas/full": 35.2, "mkl/full": 35.8, "aocl/full": 36.2,
}  # fmt: skip
"""GFLOPS on one thread of a Zen 1."""

EPOCHS = {"numba-fused": (4e-5, 2.2e-5), "numba": (3e-2, 1e-4), "numpy": (8e-2, 1.5e-4), "torch": (1.0, 1e-3)}
"""Seconds of an epoch of single examples, and of one batch."""

VARIANTS = list(dict.fromkeys(chain(*PANELS.values())))

ZEN = MACHINE.model_copy(
    update={
        "cpu": "AMD EPYC",
        "core": "znver1",
        "caches": [Cache(level, kib << 10, 8, 64, 1 + (level > 2), "sysfs") for level, kib in ((1, 32), (2, 512), (3, 8192))],
        "ceilings": {
            "cpu": CEILINGS.model_copy(
                update={
                    "bandwidths": [
                        Bandwidth(level=level, working_set=1 << 20, threads=1, read_gbs=rate, copy_gbs=rate)
                        for level, rate in (("L1", 77.2), ("L2", 72.8), ("L3", 58.3), ("memory", 18.0))
                    ]
                }
            )
        },
    }
)


def rate(gflops):
    return {"gflops": gflops, "gflops_low": gflops * 0.97, "gflops_high": gflops * 1.03}


def square(kernel, n, **changes):
    flops = 2 * n**3
    return make_record(kernel=kernel, shape={"m": n, "n": n, "p": n}, flops=flops, median_s=flops / 5e10, **changes)


def some_run(kernels=tuple(SPEEDS), sizes=SIZES, **machine):
    """Products that get slower where they are small; percentages follow from the peak of 100."""
    found = []
    for kernel in kernels:
        for n in sizes:
            speed = SPEEDS[kernel] * n / (n + 30)
            times = 2 * n**3 / speed / 1e9
            found.append(
                square(kernel, n, **rate(speed), percent_of_peak=speed, peak_gflops=100.0, samples_s=[times, times * 1.02] * 3,
                       samples_per_round=[2] * 3).model_copy(update={"median_s": times})
            )  # fmt: skip
    run = make_run(*found)
    return run.model_copy(update={"machine": ZEN.model_copy(update=machine)})


def some_epochs():
    records = [
        make_record(
            workload="sgd", kernel=step, backend=step.split("-")[0], rung="step", median_s=least + (most - least) / batch,
            shape={"n": 1500, "d": 5, "k": 1, "batch": batch}, flops=30_000, examples_s=1500 / (least + (most - least) / batch),
            low_s=0.9 * (least + (most - least) / batch), high_s=1.1 * (least + (most - least) / batch),
        )
        for step, (most, least) in EPOCHS.items() for batch in (1, 10, 100, 1500)
    ]  # fmt: skip
    return make_run(*records).model_copy(update={"machine": ZEN})


def some_sweep():
    tiles = [dict.fromkeys(("tm", "tn", "tp"), edge) for edge in (16, 64, 256)]
    tiles += [{"tm": 256, "tn": depth, "tp": width} for depth in (128, 256) for width in (8, 64)]
    records = [square("numba/tiled", 256, tile=tile, chosen_tile=True, **rate(5.0 + place)) for place, tile in enumerate(tiles)]
    return make_run(*records).model_copy(update={"machine": ZEN})


def some_outcome():
    rows = [
        Row(case=square("numpy/full", 64), verdict=Verdict.SLOWER, ratio=1.1, low=1.05, high=1.2, blocks=9, logs=[0.1] * 9),
        Row(case=square("numba/full", 64), verdict=Verdict.FAILED, failure=HOSTILE),
    ]
    return Outcome(base="a" * 40, head="b" * 40, min_effect=0.03, budget_s=600, seconds=60, machine=MACHINE, rows=rows)


def some_series(kernels=4, commits=30):
    case = [square(f"numpy/{name}", 64) for name in ("full", "block", "tiled", "rowwise")][:kernels]
    return series(
        (Point("a machine", "an environment", f"{place:040d}", 1_700_000_000 + place * 1000, each, "seconds",
              1e-3 * (1 if place < commits / 2 else 1.5), 0.9e-3, 1.6e-3, None)
        for each in case for place in range(commits)),
        Path(),
    )  # fmt: skip


def spread(value):
    return [value, 0.9 * value, 1.2 * value]


def some_findings():
    sizes = [[1, 3e-5, 0.1, 2], [10, 2e-5, 0.2, None], [100, 1e-5, 0.5, 4]]
    runs = []
    for place, (name, last) in enumerate((("gd", 15000), ("sgd", 3000), ("batch 100", 3000), ("batch 10", 3000))):
        seen = [0, 200, 600, 1500, last]
        losses = [0.49, 0.32 + place / 500, 0.26, 0.246, 0.243 + place / 2000]
        paces = {"numba-fused": spread(1e-5 * (place + 1)), "torch": spread(1e-3 * 9**place)}
        within = {"losses_interval": [spread(loss)[1:] for loss in losses]} if place else {}  # older files have none
        runs.append({"name": name, "examples": seen, "losses": losses, "seconds_an_epoch": paces} | within)
    times = {name: [least + most / size for size in (1500, 100, 10, 1)] for name, (most, least) in EPOCHS.items()}
    falling = {
        name: [[0.5, *(0.242 + 0.1 / (place + 2) ** epoch for epoch in range(1, 6))]] * 7 for place, name in enumerate(VARIANTS)
    }
    data = {
        "book": {"n": 1500, "floor": 0.2417, "runs": runs},
        "batch-size": {"rows": sizes, "epoch_interval": [spread(epoch)[1:] for _, epoch, *_ in sizes]},
        "overhead": {
            "sizes": [1, 10, 100, 1500],
            "seconds": times,
            "fits": {name: [each[0], 1e9] for name, each in times.items()},
            "seconds_interval": {name: [spread(each)[1:] for each in some] for name, some in times.items()},
        },
        "variants": {"floor": 0.2417} | falling,
        "noise": {"sizes": [1, 4, 16], "deviations": [2.0, 1.0, 0.5], "slope": -0.5, "reach": 0.01},
    }
    rows = [[str(size), f"{1e6 * epoch:.1f} us"] for size, epoch, *_ in sizes]
    return {
        name: {"experiment": name, "problem": "airfoil", "sentences": [f"what {name} found"],
               "table": {"title": f"table of {name}", "headings": ["batch", "epoch"], "rows": rows}} | each
        for name, each in data.items()
    }  # fmt: skip


def everything():
    """All kinds of sources, in files named as commands name them."""
    runs = {"sizes": some_run(), "sgd": some_epochs(), "tune": some_sweep()}
    return Sources(
        runs=[(f"2026010{day}T030405.678901Z-{name}.json", run) for day, (name, run) in enumerate(runs.items(), 2)],
        series=some_series(), outcome=some_outcome(), findings=some_findings(),
    )  # fmt: skip
