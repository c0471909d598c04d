"""Two repositories, made once: this suite's in few commits, and a stranger's, which is small and builds without the network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

BACKEND = """
    import zipfile
    from pathlib import Path

    ABOUT = "outer_kernels-1.0.dist-info/"
    POINTS = "[kernels]\\nouter = outer_kernels\\nfragile = fragile_kernels\\n"

    def build_wheel(folder, settings=None, metadata=None):
        name = "outer_kernels-1.0-py3-none-any.whl"
        with zipfile.ZipFile(Path(folder, name), "w") as wheel:
            for path in Path.cwd().glob("*_kernels.py"):
                wheel.write(path, path.name)
            wheel.writestr(ABOUT + "METADATA", "Metadata-Version: 2.1\\nName: outer-kernels\\nVersion: 1.0\\n")
            wheel.writestr(ABOUT + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
            wheel.writestr(ABOUT + "entry_points.txt", POINTS)
            wheel.writestr(ABOUT + "RECORD", "")
        return name
"""

PROJECT = """
    [build-system]
    requires = []
    build-backend = "backend"
    backend-path = ["."]
"""

KERNELS = """
    import time
    from kernels import kernel

    counted_s = 0.0

    def count():
        return counted_s

    time.perf_counter = count  # a busy machine changes nothing

    def product(a, b, out, microseconds=1000):
        global counted_s
        out[...] = a @ b
        counted_s += 1e-6 * microseconds

    @kernel("outer", "full")
    def full(a, b, out):
        product(a, b, out)

    @kernel("outer", "block")
    def block(a, b, out):
        product(a, b, out)

    @kernel("outer", "tiled")
    def tiled(a, b, out):
        product(a, b, out)

    @kernel("outer", "rowwise")
    def rowwise(a, b, out):
        product(a, b, out)
"""

FRAGILE = """
    from kernels import kernel
    from outer_kernels import product

    @kernel("fragile", "full")
    def full(a, b, out):
        product(a, b, out)
"""

BENCH = """
    import numpy as np
    import pytest
    from outer_kernels import full

    @pytest.mark.parametrize("size", [4])
    def test_product(benchmark, size):
        out = benchmark(call, np.ones((size, size)))
        assert out.sum() == size**3

    def call(a):
        out = np.empty_like(a)
        full(a, a, out)
        return out
"""


ROOT = Path(__file__).parents[3]

ON_TORCH = (
    "kernels/rungs/torch_ops.py", "kernels/rungs/torch_graphs.py", "kernels/rungs/cblas_ops.py", "kernels/triton/launch.py",
)  # fmt: skip
"""What imports it to list kernels: three seconds, which every process of a gate would wait."""

NO_TORCH_STEP = """
    from minisgd.steps import step, stepwise
    from minisgd.steps.numpy_step import one

    step("torch")(stepwise(one))
"""
"""In the place of torch's steps: a quick run asks for the one."""


@pytest.fixture(scope="session")
def suite(tmp_path_factory):
    """This suite without torch, in one commit."""
    folder = tmp_path_factory.mktemp("suite")
    for name in ("kernels", "minisgd", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt", "asv.conf.json"):
        shutil.copy2(ROOT / name, folder / name)
    for name in ON_TORCH:
        (folder / name).unlink()
    (folder / "minisgd/steps/torch_steps.py").write_text(dedent(NO_TORCH_STEP), encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "as it is"]):
        git(folder, *command)
    return folder


def git(folder, *command):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *command], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """A clone with four commits: as it is; a comment more; one kernel 5 % slower; and worse, each kernel in its own way."""
    folder = tmp_path_factory.mktemp("stranger") / "clone"
    folder.mkdir()

    def commit(tag, **files):
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(dedent(text), encoding="utf-8")
        for command in (["add", "-A"], ["commit", "-qm", tag], ["tag", tag]):
            git(folder, *command)

    git(folder, "init", "-q")
    commit(
        "first", backend__py=BACKEND, pyproject__toml=PROJECT, outer_kernels__py=KERNELS, fragile_kernels__py=FRAGILE,
        bench__py=BENCH,
    )  # fmt: skip
    commit("comment", outer_kernels__py=KERNELS + "    # nothing new\n")
    slower = KERNELS.replace("product(a, b, out)\n", "product(a, b, out, 1050)\n", 1)
    commit("slower", outer_kernels__py=slower)
    gone, _, rest = slower.rpartition('    @kernel("outer", "tiled")')
    assert "rowwise" in rest
    worse = (
        gone + '    @kernel("outer", "rowwise")\n    def rowwise(a, b, out):\n        product(a, b, out)\n        out[...] = 0\n'
    )
    commit("worse", outer_kernels__py=worse, fragile_kernels__py="    import os\n    os.abort()\n")
    return folder
