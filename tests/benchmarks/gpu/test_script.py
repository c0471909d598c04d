"""The script for a GPU machine, rehearsed: another interpreter, no pydantic but in a wheel, and a GPU that does not exist."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import time
import venv
import zipfile
from pathlib import Path

import gpus
import pytest

from benchmarks.gpu import parts
from benchmarks.gpu.parts import CUT_SHORT, NO_GPU, Log, Part
from benchmarks.harness.records import load

CHECKOUT = Path(__file__).parents[3]
CARRIED = ("pydantic", "pydantic-core", "typing-inspection", "annotated-types")
SMALL = {"tile edges": ("torch/full",), "quick run": ("--kernel", "torch/full", "--size", "64", "--dtype", "float32")}

SCRIPT = f"""
import sys
import time
from dataclasses import replace
from benchmarks.gpu import __main__ as script
script.PARTS = [replace(each, command=each.command + {SMALL}.get(each.name, ())) for each in script.PARTS]
if __name__ == "__main__":
    sys.exit(script.main())
"""
"""The script with one kernel: numpy, which does the fake GPU's work, takes minutes for all."""

SANITIZER = """#!/bin/sh
shift 4
exec "$@"
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An interpreter that finds this one's packages, but neither pydantic, nor torch, nor what is installed from a checkout."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=False)
    kept = folder / "packages"
    kept.mkdir()
    left_out = ("pydantic", "typing_inspection", "annotated_types", "torch", "minisgd", "_editable")
    for place in {Path(importlib.metadata.distribution(name).locate_file("")) for name in ("numpy", "pydantic", "numba")}:
        for path in place.iterdir():
            if not path.name.startswith(left_out) and path.suffix != ".pth" and not (kept / path.name).exists():
                (kept / path.name).symlink_to(path)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(str(kept), encoding="utf-8")
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """What is missing, packed as wheels are; and the commit."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in CARRIED:
        found = importlib.metadata.distribution(name)
        with zipfile.ZipFile(folder / f"{name}-{found.version}-py3-none-any.whl", "w") as archive:
            for file in found.files or ():
                if "__pycache__" not in file.parts and not str(file).startswith(".."):
                    archive.write(found.locate_file(file), str(file))
    (folder / "commit").write_text("c" * 40 + "\n", encoding="utf-8")
    return folder


def rehearse(bare, wheels, folder, seconds, **environment):
    """Run the script from a folder without history; its exit status, and the log."""
    (folder / "compute-sanitizer").write_text(SANITIZER, encoding="utf-8")
    (folder / "compute-sanitizer").chmod(0o755)
    (folder / "rehearsal.py").write_text(SCRIPT, encoding="utf-8")
    for name in ("benchmarks", "minisgd", "kernels"):
        (folder / name).symlink_to(CHECKOUT / name)
    path = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(gpus.FOLDER), "GIT_DIR": str(folder / "none")}
    done = subprocess.run(
        [bare, "-m", "rehearsal", "--wheels", wheels, "--out", folder / "out", "--seconds", str(seconds)],
        cwd=folder, env=os.environ | path | environment, capture_output=True, text=True, timeout=290,
    )  # fmt: skip
    log = (folder / "out" / "log.txt").read_text(encoding="utf-8")
    assert done.stdout == log, done.stderr
    return done.returncode, log


def test_the_rehearsal_leaves_a_log_and_a_run(bare, wheels, tmp_path):
    missing = subprocess.run([bare, "-c", "import pydantic"], capture_output=True, text=True, timeout=60)
    assert "No module named 'pydantic'" in missing.stderr
    _, log = rehearse(bare, wheels, tmp_path, seconds=2000)
    for part in parts.PARTS:
        assert f"== {part.name}: " in log
        assert f"\n{part.name}: " in log.rpartition("== racecheck")[2]
    assert f"pydantic {importlib.metadata.version('pydantic')}" in log
    assert "torch/full: right" in log
    assert "torch/full bfloat16: right on 31 shapes" in log
    assert "numba-cuda/full float32 4096: " in log  # no figure, and why
    assert len(list((tmp_path / "out").iterdir())) == 2
    (kept,) = (tmp_path / "out").glob("*-quick.json")
    run = load(kept)
    assert run.commit == "c" * 40
    assert run.machine.gpu == "a GPU, driver 580.0"
    (record,) = run.records
    assert (record.kernel, record.device, record.passed) == ("torch/full", "cuda", True)
    assert record.clock_mhz == 1980


def test_without_a_gpu_it_ends_at_once(bare, wheels, tmp_path):
    status, log = rehearse(bare, wheels, tmp_path, seconds=240, FAKE_GPU="none")
    assert status == NO_GPU
    assert "error: --device cuda: torch sees no CUDA GPU" in log
    assert "tile edges" not in log


def gone(pid):
    """Whether a killed process ends within some seconds; one that nobody waits for is a zombie."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


def test_a_part_that_hangs_is_cut_short_with_its_children_and_keeps_what_it_said(tmp_path):
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)']).pid, flush=True); time.sleep(100)"
    )
    with pytest.MonkeyPatch.context() as patch, Log(tmp_path / "log.txt") as log:
        patch.setattr(parts, "GRACE_S", 0.2)
        status = parts.run(Part("hangs", 1, ("-c", code)), 2.0, os.environ, tmp_path, log)
    assert status == CUT_SHORT
    said = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert "cut short" in said[-1]
    assert gone(int(said[-2]))


def test_a_tool_that_is_not_there_costs_its_part(tmp_path):
    with Log(tmp_path / "log.txt") as log:
        assert parts.run(Part("missing", 1, ("-c", ""), ("no-such-tool",)), 5.0, os.environ, tmp_path, log) == 127
    assert "no-such-tool: No such file or directory" in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_all_parts_take_eight_minutes():
    assert sum(part.seconds for part in parts.PARTS) <= 480
