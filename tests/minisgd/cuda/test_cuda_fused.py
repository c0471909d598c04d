"""Without a GPU: `cuda-fused` is simulated, and compiled for one, each in a process of its own that has numba-cuda."""

from __future__ import annotations

from pathlib import Path

import cuda_python
import pytest
from plugin import python

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
    shared = cuda_python.ROOT / "tests/kernels/cuda/apart"  # how to compile without a device
    cuda_python.check(APART / f"{checks}.py", NUMBA_ENABLE_CUDASIM=simulator, PYTHONPATH=str(shared))
