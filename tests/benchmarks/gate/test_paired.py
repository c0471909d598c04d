"""The paired engine on kernels that differ by a known factor, or fail."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time

import commands_for_tests
import gpus
import numpy as np
import plugin
import pytest
from scipy.stats import wilcoxon

from benchmarks.gate import paired
from benchmarks.gate.estimate import hodges_lehmann
from benchmarks.harness import cases, timing
from kernels import registry

TWICE = """
    import time
    from kernels.registry import kernel

    counted_s = 0.0
    time.perf_counter = lambda: counted_s  # a busy machine changes nothing

    def spend(seconds):
        global counted_s
        counted_s += seconds

    @kernel("twice", "once")
    def once(a, b, out):
        out[...] = a @ b
        spend(0.002)

    @kernel("twice", "doubled")
    def doubled(a, b, out):
        out[...] = a @ b
        spend(0.004)

    @kernel("twice", "wrong")
    def wrong(a, b, out):
        out[...] = 0
        spend(0.002)
"""


@pytest.fixture
def twice(tmp_path):
    """Three kernels of a stranger's, whose time is counted, for this process and for the workers that it starts."""
    path = os.pathsep.join([plugin.install(tmp_path, "twice", TWICE)["PYTHONPATH"], str(gpus.FOLDER)])
    return os.environ | {"PYTHONPATH": path, "FAKE_GPU": "none"}  # torch takes seconds to import, and none of them is torch's


def compare(environment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "compare", *arguments, "--size", "32", "--dtype", "float64", "--threads", "1"],
        capture_output=True, text=True, timeout=200, env=environment,
    )  # fmt: skip


def test_a_known_factor_is_found_in_the_right_direction(twice, tmp_path):
    done = compare(twice, "twice/once", "twice/doubled", "--blocks", "6", "--json", str(tmp_path / "c.json"))
    assert done.returncode == 0, done.stderr
    (found,) = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert found["ratio"] == pytest.approx(2)
    assert "faster in 1" in done.stdout


def test_a_wrong_kernel_has_no_ratio(twice):
    done = compare(twice, "twice/wrong", "twice/once", "--blocks", "1")
    assert done.returncode == 1
    assert "twice/wrong: ArithmeticError: wrong result" in done.stdout


def test_the_best_of_several_peers_is_the_bar(twice):
    done = compare(twice, "twice/doubled", "twice/once", "twice/doubled", "--blocks", "1", "--layout", "nt")
    assert "undecided in 1" in done.stdout  # one block has no interval
    assert "the fastest peer there is twice/once" in done.stdout
    assert "twice/doubled-32-nt-float64-x1" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_one_that_is_ended_early_keeps_its_blocks(twice, tmp_path):
    kept = tmp_path / "c.json"
    command = ["compare", "twice/once", "twice/doubled", "--size", "32", "--threads", "1", "--blocks", "500", "--json", str(kept)]
    running = subprocess.Popen([sys.executable, "-m", "benchmarks", *command], stdout=subprocess.PIPE, text=True, env=twice)
    try:
        deadline = time.monotonic() + 150
        while not kept.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        running.terminate()
        printed, _ = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 130
    assert {each["case"] for each in json.loads(kept.read_text(encoding="utf-8"))} == {
        "twice/once-32-float32-x1",
        "twice/once-32-float64-x1",
    }
    assert "Ended early, after" in printed


def test_an_unknown_kernel_is_one_line():
    done = commands_for_tests.run("benchmarks", "compare", "twice/thrice")
    assert done.returncode == 2
    assert "unknown kernel 'twice/thrice'" in done.stderr


def test_an_unknown_layout_is_one_line():
    done = commands_for_tests.run("benchmarks", "compare", "numpy/full", "--layout", "ntt")
    assert done.returncode == 2
    assert done.stderr.strip() == "error: --layout ntt: expected nn, nt, tn, tt or strided"


def test_a_block_measures_each_case_on_each_side_there_and_back():
    kernels = [registry.find("numpy/full"), registry.find("numpy/block")]
    sides = [paired.Side(each.name, lambda case, to=each: cases.with_kernel(case, to)) for each in kernels]
    chosen = cases.generate(kernels[:1], [{"m": size, "n": size, "p": size} for size in (8, 16)], ["float32"], [1])
    told = []
    found = paired.block(sides, chosen, random.Random(0), told.append)
    assert not found.failures
    assert set(found.seconds) == set(told) == set(chosen)
    assert all(min(turns) > 0 and len(turns) == paired.TURNS for sides in found.seconds.values() for turns in sides.values())


@pytest.mark.parametrize(("count", "times"), [(1, 0), (2, 1)])
def test_threads_settle_before_the_other_side_has_its_turn(monkeypatch, count, times):
    settled = []
    monkeypatch.setattr(timing, "settle", lambda: settled.append(True))
    monkeypatch.setattr(paired.Prepared, "current", None)
    (case,) = cases.generate([registry.find("numpy/full")], [{"m": 8, "n": 8, "p": 8}], ["float32"], [count])
    calls = paired.prepare(case, 0, None)
    try:
        assert len(settled) == times
        paired.sample(calls)
        assert len(settled) == 2 * times
    finally:
        paired.Prepared.current.held.close()


def test_the_interval_of_few_values_is_their_range():
    assert hodges_lehmann([1.0, 3.0, 2.0]) == (2.0, 1.0, 3.0)
    assert hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == (3.5, 1.0, 6.0)


def test_the_interval_is_scipy_s_signed_rank_test_turned_round():
    values = np.random.default_rng(0).normal(1.0, 1.0, 12)
    _, low, high = hodges_lehmann(values)
    inside, outside = low + 1e-9, low - 1e-9
    assert wilcoxon(values - inside, method="exact").pvalue > 0.05
    assert wilcoxon(values - outside, method="exact").pvalue <= 0.05
    assert wilcoxon(values - high - 1e-9, method="exact").pvalue <= 0.05


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(1)
    intervals = [hodges_lehmann(random.normal(size=8).tolist())[1:] for _ in range(1000)]
    assert np.mean([low <= 0 <= high for low, high in intervals]) >= 0.94
