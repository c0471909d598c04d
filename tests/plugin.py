"""A small third-party distribution, as an installer would leave it: a module, and its metadata with the entry point."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent


def install(folder: Path, backend: str, source: str, group: str = "kernels") -> dict[str, str]:
    """Install into a folder; the environment variables that put the folder on the path of a process."""
    module = f"{backend.replace(chr(45), chr(95))}_kernels"
    (folder / f"{module}.py").write_text(dedent(source), encoding="utf-8")
    metadata = folder / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{backend} = {module}\n", encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def checked(folder: Path, source: str, group: str, package: str, join: str) -> str:
    """What pytest prints where a package's `check` tests all that a source registers by ``wrong("name")``, of which some fail."""
    environment = install(folder, "wrong", source, group)
    names = ", ".join(f'"wrong{join}{name}"' for name in re.findall(r'wrong\("([\w-]+)"', source))
    test = folder / "test_wrong.py"
    test.write_text(f"from {package}.testing import check\nTestWrong = check({names})\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", str(test)],
        cwd=Path(__file__).parents[1], env=os.environ | environment, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
