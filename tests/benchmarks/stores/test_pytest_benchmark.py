"""The pytest suite is run as a user runs it, and what it stored is read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import plugin
import pytest

from benchmarks.stores import pytest_benchmark
from minisgd.cli import UsageError

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
    found = json.loads(stored.read_text())
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
    found = json.loads(stored.read_text())
    for each in found["benchmarks"]:
        del each["stats"]["data"]
    (tmp_path / "lean.json").write_text(json.dumps(found))
    product, _ = pytest_benchmark.run(tmp_path / "lean.json").records
    assert product.samples_s is None
    assert product.gflops_low < product.gflops < product.gflops_high


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"benchmarks": [', "not pytest-benchmark's, or cut off"),
        ('{"benchmarks": []}', "no benchmark of this suite"),
        ('{"benchmarks": [{"extra_info": {"case": {}}, "stats": {}}]}', "not pytest-benchmark's"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path, text, said):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        pytest_benchmark.run(tmp_path / "bad.json")


def test_a_wrong_kernel_fails_its_benchmark(tmp_path):
    environment = plugin.install(
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
        cwd=CHECKOUT, capture_output=True, text=True, timeout=250, env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 1
    assert "wrong result: error" in done.stdout


def test_the_suite_runs_under_codspeed_as_it_is():
    done = suite("--codspeed", "--codspeed-max-time=0.05")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "2 benchmarked" in done.stdout
