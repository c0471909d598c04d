"""asv and pytest-benchmark, run on chosen cases of the tracked grid."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness import names
from benchmarks.harness.checkout import ASV, ROOT
from benchmarks.harness.records import Case
from minisgd.common.cli import UsageError

TIMEOUT_S = 600.0


def prepare_asv(folder: Path, repository: Path = ROOT) -> None:
    """Write asv's settings for this suite and a description of this machine to a folder; commits are those of a repository."""
    settings = json.loads((ROOT / ASV).read_text(encoding="utf-8"))
    del settings["matrix"]
    places = {"repo": repository, "benchmark_dir": ROOT / "benchmarks", "results_dir": folder / "results"}
    (folder / ASV).write_text(json.dumps(settings | {name: str(place) for name, place in places.items()}), encoding="utf-8")
    run_tool("asv", folder, "machine", "--yes")


def run_asv(cases: Sequence[Case], folder: Path, commit: str, *options: str, environment: Mapping[str, str] = {}) -> None:
    """``asv run`` in this environment; the results are stored in the folder, as that commit's."""
    chosen = [option for case in cases for option in ("--bench", f"^{re.escape(names.asv_name(case))}$")]
    python = f"existing:{sys.executable}"
    run_tool("asv", folder, "run", "--environment", python, "--set-commit-hash", commit, *options, *chosen, **environment)


def run_pytest(cases: Sequence[Case], stored: Path, environment: Mapping[str, str] = {}) -> None:
    """``pytest --benchmark-only``; the results are stored in a file."""
    tests = map(names.pytest_name, cases)
    run_tool("pytest", ROOT, "-q", "--benchmark-only", f"--benchmark-json={stored}", *tests, **environment)


def run_tool(module: str, folder: Path, *options: str, **environment: str) -> str:
    """Run ``python -m MODULE`` in a folder, which is also its home, and return what it prints.

    Raises
    ------
    UsageError
        If its exit status is not 0, with the last line that it printed.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *options], cwd=folder, env=os.environ | {"HOME": str(folder)} | environment,
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines() or ["nothing"]
        raise UsageError(f"{module} ended with status {done.returncode}: {said[-1]}")
    return done.stdout
