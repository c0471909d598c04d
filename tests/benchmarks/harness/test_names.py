"""Names that are made are parsed back, and are those that stores already hold."""

from __future__ import annotations

import pytest
from runs_for_tests import make_record

from benchmarks.harness import names

SHAPE = {"n": 1500, "d": 5, "k": 1, "batch": 10}
EPOCH = make_record(workload="sgd", kernel="numba-fused", rung="step", backend="numba", shape=SHAPE, threads=2)
TITLES = {
    "numpy/full-256-float32-x1": make_record(),
    "numpy/full-256-float64-x2-cuda-cold": make_record(dtype="float64", threads=2, device="cuda", cache="cold"),
    "numpy/full-512x64x1-nt-float32-x1": make_record(shape={"m": 512, "n": 64, "p": 1}, layout="nt"),
    "numba/tiled-256-tm8xtn8xtp16-float32-x1": make_record(
        kernel="numba/tiled", tile={"tm": 8, "tn": 8, "tp": 16}, chosen_tile=True
    ),
    "numba-fused-1500x5x1-batch10-float32-x2": EPOCH,
}


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_parsed_into_what_it_was_made_from(title):
    record = TITLES[title]
    assert record.title == title
    found = names.parse_title(title)
    assert (found.kernel, found.dtype, found.threads) == (record.kernel, record.dtype, record.threads)
    assert f"{found.kernel}-{found.conditions}" == title


@pytest.mark.parametrize("text", ["", "numpy/full", "numpy/full-256", "numpy/full-256-float32", "x1-float32"])
def test_what_is_no_title_is_refused(text):
    with pytest.raises(ValueError, match="not the title of a benchmark"):
        names.parse_title(text)


def test_asv_knows_a_case_by_class_and_parameters():
    assert names.asv_name(make_record()) == "gemm.NumpyFull.track_seconds('numpy/full', 256, 'float32', 1)"
    assert names.asv_name(EPOCH) == "sgd.NumbaFused.track_seconds('numba-fused', 10, 'float32', 2)"
    assert names.parse_asv(names.asv_name(EPOCH).partition("(")[0]) == ("sgd", "track_seconds")


@pytest.mark.parametrize("name", ["lu.Lapack.time_lu", "gemm.track_seconds", "gemm.a.b.track_seconds", ""])
def test_benchmarks_of_others_are_none_of_ours(name):
    assert names.parse_asv(name) is None


@pytest.mark.parametrize("record", [make_record(), EPOCH])
def test_a_kernel_s_name_has_its_backend_and_rung(record):
    assert names.split_kernel(record.workload, record.kernel) == (record.backend, record.rung)
