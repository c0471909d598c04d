"""Runs on a GPU that does not exist: what it does well is measured, and each of its faults costs one line."""

from __future__ import annotations

import json
import subprocess
import sys

import commands_for_tests
import gpus
import plugin
import pytest

FAULTY = """
    import torch
    from functools import partial
    from kernels import kernel

    on_gpu = partial(kernel, "faulty", arrays="torch", devices=("cuda",), dtypes=("float32", "bfloat16"))

    @on_gpu("elementwise")
    def elementwise(a, b, out):
        torch.mm(a, b, out=out)

    @on_gpu("rowwise")
    def rowwise(a, b, out):
        torch.cuda.illegal_address()

    @on_gpu("columnwise")
    def columnwise(a, b, out):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 TiB\\nand more")

    @on_gpu("block")
    def block(a, b, out):
        raise RuntimeError("CUDA error: invalid configuration argument\\nlaunch failed")

    @on_gpu("tiled")
    def tiled(a, b, out):
        a.copy_(b)

    @on_gpu("full")
    def full(a, b, out):
        torch.mm(a, b, out=out)
"""

REASONS = {
    "rowwise": "RuntimeError: CUDA error: an illegal memory access was encountered",
    "columnwise": "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 TiB",
    "block": "RuntimeError: CUDA error: invalid configuration argument",
    "tiled": "changed its input a",
}


def benchmarks(*arguments, **environment):
    return commands_for_tests.measure(*arguments, environment=gpus.environment(**environment))


CHOSEN = ("--kernel", "faulty/*", "--kernel", "numpy/full", "--size", 24, "--threads", 1)
RUN = ("run", "--device", "cuda", "--device", "cpu", *CHOSEN)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Where the kernels with their faults are installed, before the fake GPU's own place."""
    folder = tmp_path_factory.mktemp("faulty")
    return plugin.install(folder, "faulty", FAULTY)["PYTHONPATH"] + ":" + str(gpus.FOLDER)


def test_each_fault_costs_one_record_and_the_others_are_measured(faulty, tmp_path):
    done = benchmarks(*RUN, "--dtype", "float32", "--dtype", "bfloat16", "--runs", tmp_path, "--json", "-", PYTHONPATH=faulty)
    assert done.returncode == 1, done.stderr
    run = json.loads(done.stdout)
    assert run["machine"]["gpu"] == "a GPU, driver 580.0"
    records = {(each["rung"], each["device"], each["dtype"]): each for each in run["records"]}
    dtypes = ("float32", "bfloat16")
    rungs = ("elementwise", *REASONS, "full")
    assert set(records) == {(rung, "cuda", dtype) for rung in rungs for dtype in dtypes} | {("full", "cpu", "float32")}
    for (rung, device, dtype), each in records.items():
        assert each["failure"] == (REASONS.get(rung) if device == "cuda" else None), (rung, dtype)
        if each["failure"] is None:
            assert each["gflops"] > 0
            assert each["error"] <= each["error_bound"]
            assert each["slowed"] == 0
    assert records["full", "cuda", "float32"]["clock_mhz"] == 1980
    assert records["full", "cuda", "float32"]["power_w"] == 312.5
    assert records["full", "cpu", "float32"]["clock_mhz"] is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("old", "UsageError: --device cuda: a GPU has compute capability 6.0; expected 8.0"),
        ("busy", "RuntimeError: CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
    ],
)
def test_a_gpu_that_cannot_be_used_costs_its_own_cases(faulty, tmp_path, fault, said):
    done = benchmarks(*RUN, "--runs", tmp_path, "--json", "-", PYTHONPATH=faulty, FAKE_GPU=fault)
    assert done.returncode == 1, done.stderr
    for each in json.loads(done.stdout)["records"]:
        assert each["failure"] == (said if each["device"] == "cuda" else None)
        assert bool(each["gflops"]) is (each["device"] == "cpu")


def test_transfers_are_measured_by_themselves(tmp_path):
    done = benchmarks("run", "--workload", "transfer", "--device", "cuda", "--size", 64, "--runs", tmp_path, "--json", "-")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)["records"]
    ways = ("to-device", "to-device-pinned", "from-device", "from-device-pinned")
    assert [each["kernel"] for each in records] == [f"copy/{way}" for way in ways]
    assert all(each["passed"] and each["median_s"] > 0 and each["gflops"] is None for each in records)
    assert all(each["bytes"] == 64 * 64 * 4 for each in records)
    assert "GB/s" in done.stderr


ASKED_OF_A_GPU = (
    "list", "run", "run --workload sgd", "run --device cpu", "machine", "compare", "tune", "inside", "gate",
)  # fmt: skip
ONE_BY_ONE = """
import sys
from benchmarks.__main__ import main
for line in sys.argv[1:]:
    sys.argv = ["benchmarks", *line.split(), "--device", "cuda"]
    print(line, "ends with", main(), file=sys.stderr)
"""


def test_no_gpu_is_one_line_and_status_2():
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, *ASKED_OF_A_GPU], capture_output=True, text=True, timeout=200,
        env=gpus.environment(FAKE_GPU="none"),
    )  # fmt: skip
    reason = "error: --device cuda: torch sees no CUDA GPU; use --device cpu, or a CUDA build of torch"
    assert done.stderr.splitlines() == [line for each in ASKED_OF_A_GPU for line in (reason, f"{each} ends with 2")]
    assert done.stdout == ""


def test_list_names_the_kernels_of_a_device():
    done = benchmarks("list", "--device", "cuda", "--json", "-")
    assert done.returncode == 0, done.stderr
    listed = [each for each in json.loads(done.stdout) if each["available"]]
    assert {"torch/tiled"} <= {each["kernel"] for each in listed}
    assert all("cuda" in each["devices"] for each in listed)
    assert next(each["tile"] for each in listed if each["kernel"] == "torch/tiled") == {"tm": 1024, "tn": 1024, "tp": 1024}


TUNED = """
    import time, torch
    from kernels import kernel

    @kernel("tuned", "tiled", arrays="torch", devices=("cuda",), tile={"edge": 8})
    def tiled(a, b, out, edge):
        if edge > 64:
            raise ValueError(f"edge: expected 64 at most, got {edge}")
        time.sleep(0.02 if edge == 32 else 0.06)
        torch.mm(a, b, out=out)
"""


def test_tune_tries_every_tile_that_may_fit_and_the_best_in_turns(tmp_path):
    path = plugin.install(tmp_path, "tuned", TUNED)["PYTHONPATH"] + ":" + str(gpus.FOLDER)
    done = benchmarks("tune", "--device", "cuda", "--kernel", "tuned/tiled", "--size", 16, "--json", "-", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {each["configuration"]["edge"] for each in found} == {8, 16, 32, 64, 128}
    passed = [each for each in found if each["gflops"]]
    assert passed[0]["configuration"] == {"edge": 32}
    assert [each["failure"] for each in found if not each["gflops"]] == ["ValueError: edge: expected 64 at most, got 128"]
    assert "1 failed, the first of them: ValueError: edge" in done.stderr


VERSUS = """
import sys
from benchmarks.gpu import versus
versus.SIZES, versus.TURNS = (48,), 6
versus.PAIRS = (("torch/block", "torch/full", "float32"), ("none/full", "torch/full", "float32"))
sys.exit(versus.main())
"""


def test_a_kernel_is_held_against_its_peer_in_turns():
    done = subprocess.run([sys.executable, "-c", VERSUS], capture_output=True, text=True, timeout=200, env=gpus.environment())
    assert done.returncode == 1, done.stderr  # one pair has no figure
    measured, failed = done.stdout.splitlines()
    found = json.loads(measured)
    assert found["low"] <= found["ratio"] <= found["high"]
    assert min(found["gflops"], found["peer_gflops"]) > 0
    assert found["clock_mhz"] == 1980
    assert failed.startswith("none/full float32 48: UnknownKernel: unknown kernel 'none/full'")
