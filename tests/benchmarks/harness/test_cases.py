from __future__ import annotations

import pytest

from benchmarks.harness import cases
from benchmarks.harness.host.threads import CORES
from kernels import registry
from minisgd import steps
from minisgd.common.cli import UsageError


@pytest.mark.parametrize("text", ["0", "-3", "many", "", "2x3", "1x2x3x4", "2x0x2", "1.5", "²", "1000000000"])
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


def on_cuda(rung, dtypes=("float32", "bfloat16"), devices=("cuda",)):
    tiles = {"tile": {"tm": 8}, "device_tiles": {"cuda": {"tm": 64}}}
    return registry.Kernel("torch", rung, lambda a, b, out: None, devices=devices, dtypes=dtypes, **tiles)


def test_a_preset_knows_its_device():
    assert cases.preset("quick").sizes == (256,)
    assert cases.preset("quick", "cuda").sizes == (1024,)
    assert set(cases.preset("quick", "cuda").dtypes) == {"float16", "bfloat16", "tfloat32", "float32", "float64"}
    assert cases.preset("d2l", "cuda") == cases.preset("d2l")
    with pytest.raises(UsageError, match="--preset fast: expected quick, d2l, sizes, full"):
        cases.preset("fast", "cuda")


def test_a_case_names_its_device_and_has_its_tile():
    kernels = [on_cuda("elementwise"), on_cuda("full", devices=("cpu", "cuda"))]
    found = {
        device: cases.generate(kernels, [cases.parse_size("4096")], ["float32", "bfloat16"], [1, 2], device=device, shrink=True)
        for device in ("cpu", "cuda")
    }
    assert [case.title for case in found["cpu"]] == ["torch/full-4096-float32-x1"]
    assert [case.title for case in found["cuda"]] == [
        "torch/elementwise-128-float32-x1-cuda", "torch/elementwise-128-bfloat16-x1-cuda",
        "torch/full-4096-float32-x1-cuda", "torch/full-4096-bfloat16-x1-cuda",
    ]  # fmt: skip
    assert found["cpu"][0].tile == {"tm": 8}
    assert {case.tile["tm"] for case in found["cuda"]} == {64}


def test_half_precision_is_for_gpus():
    with pytest.raises(UsageError, match="--dtype bfloat16: expected float32 or float64"):
        cases.check_dtypes(["bfloat16"])
    cases.check_dtypes(["bfloat16"], ["cpu", "cuda"])


def test_steps_of_another_device_stay_away_from_the_cpu(monkeypatch):
    monkeypatch.setitem(steps.STEPS._entries, "numba-there", steps.Step("numba-there", lambda *args: None, devices=("cuda",)))
    on_cpu = cases.epochs(["numba*"], [cases.AIRFOIL], [10], ["float32"], [1])
    assert {case.kernel for case in on_cpu} >= {"numba", "numba-fused"}
    assert "numba-there" not in {case.kernel for case in on_cpu}
    (there,) = cases.epochs(["numba*"], [cases.AIRFOIL], [10], ["float32"], [1, 2], "cuda")
    assert there.title == "numba-there-1500x5x1-batch10-float32-x1-cuda"
    with pytest.raises(UsageError, match="--kernel numpy: no such step runs on cuda"):
        cases.epochs(["numpy"], [cases.AIRFOIL], [10], ["float32"], [1], "cuda")
