"""What an installation brings, tried without this checkout: the library beside numpy and numba alone, then the commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIRED = ("numpy", "numpy.libs", "numba", "llvmlite")
"""What the two requirements put beside each other into site-packages."""

OF_A_CLONE = (["agree"], ["frameworks"], ["history"], ["report", "--readme", "--run", "x.json"], ["gate"])


class Environment:
    """A virtual environment without pip, in which a folder's wheels are installed and other packages lent by links."""

    def __init__(self, folder: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        self.bin, self.wheels = folder / "bin", folder / "wheels"
        (self.packages,) = folder.glob("lib/*/site-packages")

    def install(self, project: Path) -> None:
        """Build a project's wheel and install it, without the network."""
        pip = [sys.executable, "-m", "pip", "-q", "--no-input", "--disable-pip-version-check"]
        run(*pip, "wheel", "--no-build-isolation", "--no-index", "--no-deps", "-w", str(self.wheels), str(project))
        newest = max(self.wheels.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        run(*pip, "--python", str(self.bin / "python"), "install", "--no-index", "--no-deps", str(newest))

    def lend(self, *packages: str) -> None:
        """Have it import packages that this interpreter has; all of them, if none is named."""
        if packages:
            beside = Path(find_spec("numpy").origin).parents[1]
            for path in beside.iterdir():
                if path.name in packages:
                    (self.packages / path.name).symlink_to(path)
        else:  # paths in such a file are taken as they are: an editable installation in one of them stays out
            lent = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
            (self.packages / "lent.pth").write_text("\n".join(lent), encoding="utf-8")


def run(*command: str, cwd: Path | None = None, status: int = 0) -> subprocess.CompletedProcess[str]:
    """What a command says."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=250)
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    made = Environment(tmp_path_factory.mktemp("environment"))
    made.install(ROOT)
    made.lend(*REQUIRED)
    return made


def test_the_wheel_works_beside_numpy_and_numba_alone_and_with_the_rest_brings_the_commands(environment, tmp_path):
    python, bench = str(environment.bin / "python"), str(environment.bin / "minisgd-bench")
    code = "import numpy, kernels; e = numpy.eye(2); print(kernels.__file__, kernels.matmul(e, e, kernel='numpy/full').sum())"
    assert run(python, "-c", code, cwd=tmp_path).stdout.split() == [str(environment.packages / "kernels/__init__.py"), "2.0"]
    assert "train" in run(python, "-m", "minisgd", "--help", cwd=tmp_path).stdout
    assert run(bench, "list", cwd=tmp_path, status=2).stderr.startswith("error: typer is not installed")

    environment.lend()
    listed = json.loads(run(bench, "list", "--json", "-", cwd=tmp_path).stdout)
    assert "numba/full" in [each["kernel"] for each in listed]


def test_what_takes_a_clone_says_so_in_one_line(environment, tmp_path):
    environment.lend()
    code = f"""
import sys
from benchmarks.start import main
for line in {OF_A_CLONE}:
    sys.argv = ["minisgd-bench", *line]
    print(main(), file=sys.stderr)
"""
    said = run(str(environment.bin / "python"), "-c", code, cwd=tmp_path).stderr.splitlines()
    assert [said[1::2], len(said)] == [["2"] * len(OF_A_CLONE), 2 * len(OF_A_CLONE)], said
    assert all(line.startswith("error: ") and "clone" in line for line in said[::2]), said


def test_the_template_does_what_the_guide_for_kernel_authors_says(environment, tmp_path):
    """Its commands, word by word, in a copy of the template; git, pip and a shell as a user has them, but no network."""
    environment.lend()
    guide = (ROOT / "docs/for-kernel-authors.md").read_text(encoding="utf-8")
    project = shutil.copytree(ROOT / "docs/template", tmp_path / "my-kernels")
    (project / "benchmarks").mkdir()
    (project / "benchmarks/__init__.py").write_text("raise ImportError('a stranger of the same name')", encoding="utf-8")
    for name, shown in re.findall(r"```\w+\n# ([\w/.]+)\n(.*?)```", guide, re.DOTALL):
        assert shown in (project / name).read_text(encoding="utf-8"), name
    script = "\n".join(re.findall(r"```sh\n(.*?)```", guide, re.DOTALL))
    # One size of the two, on one thread, saves time; the budget is for a busy machine: the gate ends as soon as it is certain.
    script = script.replace("minisgd-bench gate", "minisgd-bench gate --only '*-64-*x1' --budget 4m")
    variables = {
        "PATH": f"{environment.bin}:{os.environ['PATH']}", "HOME": str(tmp_path), "TMPDIR": str(tmp_path),
        "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0",
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "me"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "me@localhost"),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-euc", script], cwd=project, env=os.environ | variables, capture_output=True, text=True, timeout=280
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "slower" in (project / "gate.md").read_text(encoding="utf-8"), said
