"""The kernels of docs/adding-a-kernel.md do what it says, in the style that it asks for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from plugin import install, python

from kernels.accuracy import bound, error

ROOT = Path(__file__).parents[2]
OUTER, EINSUM = re.findall(r"```python\n(.*?)```", (ROOT / "docs/adding-a-kernel.md").read_text(encoding="utf-8"), re.DOTALL)
BEFORE = (ROOT / "kernels/rungs/numpy_ops.py").read_text(encoding="utf-8")


def test_the_first_example_is_right_and_passes_the_style_checks():
    code = BEFORE + "\n\n" + OUTER.partition("\n")[2]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", "kernels/rungs/numpy_ops.py", "-"],
            input=code, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    names = {"kernel": lambda *name, **declared: lambda function: function}
    exec(code.replace("from kernels.registry import kernel\n", ""), names)
    random = np.random.default_rng(0)
    a, b, out = random.standard_normal((5, 7)), random.standard_normal((7, 3)), np.full((5, 3), np.nan)
    names["outer"](a, b, out)
    assert error(a, b, out) <= bound(7, "float64")


def test_the_second_example_is_in_every_table_once_installed(tmp_path):
    environment = install(tmp_path, "einsum", EINSUM)
    code = "import numpy as np, kernels; print(kernels.matmul(np.eye(2), np.eye(2), kernel='einsum/full').tolist())"
    assert python(code, **environment) == "[[1.0, 0.0], [0.0, 1.0]]"


@pytest.mark.parametrize(("bound", "passes"), [("1e-2", True), ("1e-12", False)])
def test_a_kernel_of_another_error_bound_is_held_to_its_own(tmp_path, bound, passes):
    source = f"""
        from kernels import kernel

        @kernel("rough", "full", bound=lambda n, dtype: {bound})
        def full(a, b, out):
            out[...] = (a.astype("float16") @ b.astype("float16")).astype(out.dtype)
    """
    check = """
from benchmarks.harness import cases
from benchmarks.harness.devices import device
from benchmarks.harness.workloads.gemm import Product
from kernels import registry
case = cases.case(registry.find("rough/full"), {"m": 16, "n": 16, "p": 16}, "float32")
print(Product(case, device("cpu")).check().failure is None)
"""
    assert python(check, **install(tmp_path, "rough", source)) == str(passes)
