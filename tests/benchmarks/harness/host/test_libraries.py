"""What each library says of itself, in a process that has loaded it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from minisgd.common import environment

FREE = {name: value for name, value in os.environ.items() if name not in environment.TIES}
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the wheels of the extra `peers` are for Linux on x86-64")


def of(backend, **variables):
    code = (
        "import sys, kernels; from benchmarks.harness.host import libraries; kernels.find(sys.argv[1] + '/full')\n"
        "found = libraries.of(sys.argv[1]); print(found.model_dump_json() if found else 'null')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, backend], capture_output=True, text=True, timeout=100, env=FREE | variables, check=True
    )
    return json.loads(done.stdout)


@LINUX
@pytest.mark.parametrize(
    ("backend", "name"),
    [("numpy", "openblas"), ("openblas", "openblas"), ("mkl", "mkl"), ("torch", "mkl"), ("aocl", "blis")],
)
def test_a_library_names_its_code_which_is_its_own_choice(backend, name):
    found = of(backend)
    assert found["name"] == name
    assert found["code_path"]
    assert found["held_back"] == []


@LINUX
@pytest.mark.parametrize(
    ("backend", "variable", "value", "code"),
    [
        ("numpy", "OPENBLAS_CORETYPE", "Nehalem", "Nehalem"),
        ("openblas", "OPENBLAS_CORETYPE", "Nehalem", "Nehalem"),
        ("aocl", "BLIS_ARCH_TYPE", "generic", "generic"),
        ("aocl", "AOCL_ENABLE_INSTRUCTIONS", "generic", "generic"),
    ],
)
def test_a_variable_that_decides_the_code_is_named(backend, variable, value, code):
    found = of(backend, **{variable: value})
    assert found["code_path"] == code
    assert found["held_back"] == [variable]


@LINUX
def test_another_library_s_variable_holds_nothing_back():
    assert of("numpy", MKL_CBWR="COMPATIBLE")["held_back"] == []


def test_a_backend_of_its_own_code_has_no_library():
    assert of("numba") is None
