"""Without a GPU: `cuda-fused` is simulated, and compiled for one, each in a process of its own that has numba-cuda."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from plugin import python

ROOT = Path(__file__).parents[3]
APART = Path(__file__).parent / "apart"


def test_without_numba_cuda_the_step_says_how_to_install_it():
    code = """
import sys
sys.modules["numba_cuda"] = None
from minisgd import steps
try:
    steps.find("cuda-fused")
except Exception as error:
    print(error)
print("numba-fused" in [step.name for step in steps.available()])
"""
    said = "step 'cuda-fused' is unavailable: numba_cuda is not installed: pip install 'minisgd[cuda]'"
    assert python(code).splitlines() == [said, "True"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("checks", "simulator"), [("simulated", "1"), ("compiled", "0")])
def test_without_a_device(checks, simulator):
    interpreter = os.environ.get("CUDA_PYTHON")
    if not interpreter:
        pytest.skip("CUDA_PYTHON names no interpreter that has numba-cuda; make test sets one up")
    shared = str(ROOT / "tests/kernels/cuda/apart")  # how to compile without a device
    done = subprocess.run(
        [Path(interpreter).absolute(), "-m", "pytest", "-q", "-o", "addopts=", APART / f"{checks}.py"],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": simulator, "PYTHONPATH": shared},
        cwd=ROOT, capture_output=True, text=True, timeout=870,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
