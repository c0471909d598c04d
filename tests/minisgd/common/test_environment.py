"""Variables that tie a library, left out by whatever measures: each in a process of its own, where numpy is not loaded yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import gpus
import pytest
from commands_for_tests import measure

from minisgd.common import environment

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere numpy may do without OpenBLAS")
TIED = {name: value for name, value in os.environ.items() if name not in environment.TIES} | {"OPENBLAS_CORETYPE": "Nehalem"}
RUN = ("run", "--kernel", "numpy/full", "--size", "64", "--threads", "1", "--json", "-")


WITHOUT_TORCH = {"PYTHONPATH": str(gpus.FOLDER), "FAKE_GPU": "none"}
"""Another is in its place, which takes no seconds to import."""


def python(*arguments, **more):
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=TIED | more)
    assert done.returncode == 0, done.stderr
    return done


def measured(folder, *options):
    done = measure(*RUN, "--runs", folder, *options, environment=TIED | WITHOUT_TORCH)
    assert done.returncode == 0, done.stderr
    return done


@LINUX
def test_a_run_leaves_them_out_and_says_so(tmp_path):
    done = measured(tmp_path)
    (record,) = json.loads(done.stdout)["records"]
    assert record["code_path"] not in (None, "Nehalem")
    assert record["held_back"] == []
    assert "Left out of the environment" in done.stderr
    assert "OPENBLAS_CORETYPE (openblas: another CPU's kernels)" in done.stderr
    assert "(held back)" not in done.stderr


@LINUX
def test_as_is_keeps_them_and_marks_the_figures(tmp_path):
    done = measured(tmp_path, "--as-is")
    (record,) = json.loads(done.stdout)["records"]
    assert record["code_path"] == "Nehalem"
    assert record["held_back"] == ["OPENBLAS_CORETYPE"]
    assert "numpy/full (held back)" in done.stderr
    assert "numpy is held back: OPENBLAS_CORETYPE decides which code its library runs, Nehalem." in done.stderr


def test_an_experiment_s_process_is_without_them():
    code = (
        "import sys, os; from minisgd import __main__ as program\n"
        "sys.argv = ['minisgd', 'train', '--data', 'linear', '--epochs', '1']\n"
        "assert 'numpy' not in sys.modules\n"
        "assert program.main() == 0\n"
        "print(os.environ.get('OPENBLAS_CORETYPE'))"
    )
    done = python("-c", code)
    assert done.stdout.splitlines()[-1] == "None"
    assert "Left out of the environment" in done.stdout


@LINUX
def test_the_pytest_suite_leaves_them_out(tmp_path):
    name = "benchmarks/test_gemm.py::test_product[numpy/full-64-float32-x1]"
    done = python("-m", "pytest", "--benchmark-only", f"--benchmark-json={tmp_path / 'b.json'}", name, **WITHOUT_TORCH)
    (found,) = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["benchmarks"]
    assert found["extra_info"]["code_path"] not in (None, "Nehalem")
    assert "Left out of the environment" in done.stdout


def test_they_stay_where_numpy_has_read_them(monkeypatch):
    import numpy  # noqa: F401

    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    environment.release()
    assert environment.in_force("mkl") == ["MKL_CBWR"]
    assert environment.in_force("openblas") == [name for name in environment.TIES if name in os.environ and "OPENBLAS" in name]
    assert environment.said().startswith("The environment ties libraries:")
