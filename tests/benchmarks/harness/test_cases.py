from __future__ import annotations

import pytest

from benchmarks.harness import cases
from benchmarks.harness.host.threads import CORES
from minisgd.common.cli import UsageError


@pytest.mark.parametrize("text", ["0", "-3", "many", "", "2x3", "1x2x3x4", "2x0x2", "1.5", "²"])
def test_a_size_that_is_none(text):
    with pytest.raises(UsageError, match="expected a positive whole number such as 256"):
        cases.parse_size(text)


def test_an_unknown_kernel_has_a_nearest_name():
    with pytest.raises(UsageError, match=r"--kernel numpy/fulll: unknown kernel .* did you mean 'numpy/full'"):
        cases.select(["numpy/fulll"])


@pytest.mark.parametrize("count", [0, -1, CORES + 1])
def test_threads_beyond_the_cores(count):
    with pytest.raises(UsageError, match=f"--threads {count}: expected 1 to {CORES}"):
        cases.check_threads([count])


def test_only_combinations_that_make_a_difference_are_generated():
    kernels = cases.select(["numpy/elementwise", "numpy/full"])
    found = cases.generate(kernels, [cases.parse_size("8")], ["float32"], [1, 2])
    assert [(case.kernel, case.threads) for case in found] == [
        ("numpy/elementwise", 1),
        ("numpy/full", 1),
        ("numpy/full", 2),
    ]


def test_slow_rungs_are_measured_small_and_once():
    kernels = cases.select(["python/elementwise"])
    found = cases.generate(kernels, [cases.parse_size(text) for text in ("256", "512")], ["float32"], [1], shrink=True)
    assert [case.size for case in found] == ["64"]


def test_the_book_s_experiment_is_not_shrunk():
    preset = cases.PRESETS["d2l"]
    found = cases.generate(
        cases.select(preset.kernels), [cases.parse_size("256")], preset.dtypes, preset.threads, shrink=preset.shrink
    )
    assert {case.size for case in found} == {"256"}
    assert {case.tile["width"] for case in found if case.rung == "block"} == {64}


def test_a_kernel_that_does_not_run_on_the_device_is_left_out():
    with pytest.raises(UsageError, match="no such kernel runs on cuda"):
        cases.select(["numpy/*"], devices=["cuda"])
