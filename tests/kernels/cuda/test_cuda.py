"""Without a GPU: kernels are simulated, compiled and assembled in an interpreter that has numba-cuda, a process for each."""

from __future__ import annotations

from pathlib import Path

import cuda_python
import pytest
from cuda_python import ROOT
from plugin import python

APART = Path(__file__).parent / "apart"
"""What this interpreter need not be able to import."""


def test_without_numba_cuda_a_kernel_says_how_to_install_it():
    code = """
import sys
sys.modules["numba_cuda"] = None
import kernels
try:
    kernels.find("numba-cuda/full")
except kernels.Unavailable as error:
    print(error)
    print(kernels.find("numpy/full").name)
"""
    reason = "kernel 'numba-cuda/full' is unavailable: numba_cuda is not installed: pip install 'minisgd[cuda]'"
    assert python(code).splitlines() == [reason, "numpy/full"]


CHECKS = {"simulated.py": "1", "launched.py": "1", "accessed.py": "1", "compiled.py": "0", ROOT / "kernels/cuda": "0"}
"""Each with whether it needs the simulator; the last are doctests."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("checks", "simulator"), CHECKS.items(), ids=str)
def test_without_a_device(checks, simulator):
    cuda_python.check(APART / checks, NUMBA_ENABLE_CUDASIM=simulator)
