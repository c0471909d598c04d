"""Checks in a process of the interpreter that has numba-cuda and triton, which the tests' own need not have."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str | Path, **environment: str) -> None:
    """Run the interpreter, which must end well; skip the test if CUDA_PYTHON names none."""
    interpreter = os.environ.get("CUDA_PYTHON")
    if not interpreter:
        pytest.skip("CUDA_PYTHON names no interpreter that has numba-cuda and triton; make test sets one up")
    command = [Path(interpreter).absolute(), *arguments]
    if environment.get("NUMBA_ENABLE_CUDASIM") == "1" and shutil.which("taskset"):
        # The simulator's threads take turns; on two CPUs they take three times as long about it.
        command = ["taskset", "--cpu-list", str(random.choice(sorted(os.sched_getaffinity(0)))), *command]
    done = subprocess.run(command, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, timeout=870)
    assert done.returncode == 0, done.stdout + done.stderr


def check(path: Path, **environment: str) -> None:
    """Run the tests and examples of a file or folder."""
    run("-m", "pytest", "-q", "-o", "addopts=--doctest-modules", path, **environment)
