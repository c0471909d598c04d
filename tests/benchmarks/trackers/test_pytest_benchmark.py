"""The pytest suite is run as a user runs it, and what it stored is read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import gpus
import plugin
import pytest
from runs_for_tests import make_record

from benchmarks.harness.records import Case
from benchmarks.trackers import pytest_benchmark
from minisgd.common.cli import UsageError

CHECKOUT = Path(__file__).parents[3]
PRODUCT = "benchmarks/test_gemm.py::test_product[numpy/full-64-float32-x1]"
EPOCH = "benchmarks/test_sgd.py::test_epoch[numba-fused-1500x5x1-batch100-float32-x1]"


def suite(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, arguments), PRODUCT, EPOCH],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=250,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "pytest.json"
    done = suite("--benchmark-only", "--benchmark-max-time=0.05", f"--benchmark-json={path}")
    assert done.returncode == 0, done.stdout
    assert "speed and error" in done.stdout
    return path


def test_what_is_stored_says_what_the_clock_does_not_know(stored):
    found = json.loads(stored.read_text(encoding="utf-8"))
    assert found["machine_info"]["minisgd"]["caches"]
    assert len(found["commit_info"]["minisgd"].rstrip("+")) == 40
    extra = found["benchmarks"][0]["extra_info"]
    assert extra["flops"] == 2 * 64**3
    assert extra["gflops"] == pytest.approx(extra["flops"] / found["benchmarks"][0]["stats"]["median"] / 1e9)
    assert 0 < extra["error"] < extra["error_bound"]
    assert 0 < extra["percent_of_peak"] < 150
    assert extra["threads"] == extra["thread_settings"]["openblas"] == 1


def test_it_comes_back_as_records(stored):
    product, epoch = pytest_benchmark.run(stored).records
    assert product.title == "numpy/full-64-float32-x1"
    assert product.gflops_low <= product.gflops <= product.gflops_high
    assert product.passed
    assert epoch.examples_s == pytest.approx(1500 / epoch.median_s)


def test_without_the_samples_the_box_plot_s_notches_stand_in(stored, tmp_path):
    found = json.loads(stored.read_text(encoding="utf-8"))
    for each in found["benchmarks"]:
        del each["stats"]["data"]
    (tmp_path / "lean.json").write_text(json.dumps(found), encoding="utf-8")
    product, _ = pytest_benchmark.run(tmp_path / "lean.json").records
    assert product.samples_s is None
    assert product.gflops_low < product.gflops < product.gflops_high


def older(spoil):
    """A file as old versions wrote them, changed by `spoil`: no notes on the machine, a moment without its zone."""
    case = make_record().model_dump(mode="json", include=set(Case.model_fields))
    extra = {"case": case, "flops": 2 * 256**3}
    found = {
        "datetime": "2015-08-17T20:40:21.160239", "version": "2.5.0", "commit_info": {"id": None, "dirty": None},
        "machine_info": {"node": "a", "processor": "x86_64", "python_version": "2.7.6", "system": "Linux"},
        "benchmarks": [
            {"name": "other", "stats": {"median": 1.0}},
            {"name": "ours", "extra_info": extra, "stats": {"median": 1e-3, "iqr": 1e-5, "rounds": 9}},
        ],
    }  # fmt: skip
    spoil(found)
    return found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: None,
        lambda found: found.update(commit_info=None),
        lambda found: found.update(commit_info={}),
        lambda found: found.pop("machine_info"),
        lambda found: found["machine_info"].update(cpu={"brand": "a CPU", "count": 4}),
        lambda found: found["benchmarks"][0].update(extra_info=None),
    ],
)
def test_files_of_older_versions_are_read(tmp_path, spoil):
    (tmp_path / "old.json").write_text(json.dumps(older(spoil)), encoding="utf-8")
    run = pytest_benchmark.run(tmp_path / "old.json")
    assert run.commit is None
    assert run.created == datetime(2015, 8, 17, 20, 40, 21, 160239, tzinfo=UTC)
    (record,) = run.records
    assert record.gflops == pytest.approx(2 * 256**3 / 1e-3 / 1e9)


@pytest.mark.parametrize("stats", [{"median": 0.0, "iqr": 0, "rounds": 5}, {"median": 1e-3, "iqr": 0, "rounds": 0}])
def test_what_has_no_time_failed(tmp_path, stats):
    (tmp_path / "old.json").write_text(
        json.dumps(older(lambda found: found["benchmarks"][1].update(stats=stats))), encoding="utf-8"
    )
    (record,) = pytest_benchmark.run(tmp_path / "old.json").records
    assert record.failure
    assert record.gflops is None


@pytest.mark.parametrize("median", [float("nan"), float("inf"), -1.0, "1", None, 1e-300])
def test_what_is_no_time_is_refused_or_failed(tmp_path, median):
    stats = {"median": median, "iqr": 0, "rounds": 5}
    (tmp_path / "old.json").write_text(
        json.dumps(older(lambda found: found["benchmarks"][1].update(stats=stats))), encoding="utf-8"
    )
    try:
        (record,) = pytest_benchmark.run(tmp_path / "old.json").records
    except UsageError:
        return
    assert record.failure


def test_advice_does_not_overwrite_the_file_that_it_is_about(tmp_path):
    path = tmp_path / "theirs.json"
    path.write_text('{"benchmarks": []}', encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        pytest_benchmark.run(path)
    assert str(path) not in str(caught.value).partition(";")[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"benchmarks": [', "not pytest-benchmark's, or cut off"),
        ('{"benchmarks": []}', "no benchmark of this suite"),
        ('{"benchmarks": [{"extra_info": {"case": {}}, "stats": {}}]}', "not pytest-benchmark's"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path, text, said):
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        pytest_benchmark.run(tmp_path / "bad.json")


def test_a_wrong_kernel_fails_its_benchmark(tmp_path):
    installed = plugin.install(
        tmp_path, "wrong",
        """
        from kernels.registry import kernel

        @kernel("wrong", "full")
        def full(a, b, out):
            out[...] = 1
        """,
    )  # fmt: skip
    test = "benchmarks/test_gemm.py::test_product[wrong/full-64-float32-x1]"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--benchmark-only", test],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=250,
        env=gpus.environment(PYTHONPATH=os.pathsep.join([installed["PYTHONPATH"], str(gpus.FOLDER)]), FAKE_GPU="none"),
    )  # fmt: skip
    assert done.returncode == 1
    assert "wrong result: error" in done.stdout


def test_the_suite_runs_under_codspeed_as_it_is():
    done = suite("--codspeed", "--codspeed-max-time=0.05")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "2 benchmarked" in done.stdout
