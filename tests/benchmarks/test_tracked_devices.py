"""What asv, pytest-benchmark and the gate measure where there is a GPU, and that without one there is nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys

import gpus
import pytest

from benchmarks.harness import names
from benchmarks.harness.records import Case
from benchmarks.trackers.asv import _cases

POINTS = """
import json
from benchmarks import gemm
print(json.dumps({name: vars(suite)["track_seconds"].params for name, suite in vars(gemm).items() if name.endswith("OnCuda")}))
"""

MEASURED = """
import json
from benchmarks import gemm
print(json.dumps(gemm.TorchFullOnCuda().track_seconds("torch/full", 256, "float32", 1, "cuda")))
"""

GATED = """
import json
from benchmarks.gate import grids
print(json.dumps([case.title for case in grids.cases_here("cuda")]))
"""


def python(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=250, env=gpus.environment(**environment)
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_each_kernel_of_the_gpu_has_a_class_and_its_points_say_where():
    found = python(POINTS)
    assert {"TorchElementwiseOnCuda", "TorchFullOnCuda"} <= found.keys()
    assert found["TorchFullOnCuda"][1:2] + found["TorchFullOnCuda"][3:] == [[256, 2048], [1], ["cuda"]]
    assert set(found["TorchFullOnCuda"][2]) == {"float32", "float64", "float16", "bfloat16"}
    assert found["TorchElementwiseOnCuda"][1] == [128]


def test_without_a_gpu_there_is_none():
    assert python(POINTS, FAKE_GPU="none") == {}


def test_a_point_is_measured_there():
    found = python(MEASURED)
    assert min(found["samples"]) > 0
    assert found["number"] >= 1


def test_the_gate_takes_a_size_of_overhead_and_one_of_arithmetic():
    assert {"torch/full-256-float32-x1-cuda", "torch/full-2048-float32-x1-cuda"} <= set(python(GATED))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_stored_point_is_the_case_that_was_measured(device):
    fields = {"kernel": "torch/full", "backend": "torch", "rung": "full", "dtype": "float32", "threads": 1}
    case = Case(**fields, device=device, shape=dict.fromkeys("mnp", 256))
    name = names.asv_name(case)
    assert name.startswith("gemm.TorchFull.track" if device == "cpu" else "gemm.TorchFullOnCuda.track")
    benchmark, _, parameters = name.rstrip(")").partition("(")
    assert _cases(benchmark, [[each] for each in parameters.split(", ")]) == [case]


def test_pytest_times_a_call_until_the_gpu_has_done_it(tmp_path):
    command = ["-m", "pytest", "benchmarks/test_gemm.py", "-q", "-p", "no:cacheprovider", "--benchmark-only"]
    command += [
        "-k",
        "torch/full-256-float32-x1-cuda",
        "--benchmark-json",
        str(tmp_path / "b.json"),
        "--benchmark-max-time",
        "0.1",
    ]
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=250, env=gpus.environment(FAKE_GPU_LATE="1")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["benchmarks"]
    assert found["extra_info"]["case"]["device"] == "cuda"
    assert found["stats"]["min"] > 0.02  # the fake device takes that long until it is done
