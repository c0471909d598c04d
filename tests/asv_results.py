"""Folders of results to test with, written by asv's own classes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from asv.results import Results

TILED = "gemm.NumbaTiled.track_seconds"
PARAMS = [["'numba/tiled'"], ["64", "256"], ["'float32'"], ["1"]]
DAY_MS = 86_400_000


def machine(folder: Path, name: str = "here") -> Path:
    """A folder for a machine."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    about = {"machine": name, "cpu": "a CPU", "num_cpu": "2", "os": "an OS", "ram": "8000000", "arch": "x86_64", "version": 1}
    (folder / name / "machine.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def commit_hash(commit: int) -> str:
    """Forty digits, of which asv takes the first eight to name the file."""
    return f"{commit:08x}".ljust(40, "0")


def add(folder: Path, commit: int, values, name=TILED, params=PARAMS, where="here", samples=None, environment="an-env"):
    """Store one commit's values of one benchmark; commits are days apart."""
    results = Results({"machine": where}, {}, commit_hash(commit), commit * DAY_MS, "3.11", environment, {})
    results.load_data(str(folder))
    samples = samples or [None] * len(values)
    found = SimpleNamespace(
        result=[value if sampled is None else True for value, sampled in zip(values, samples, strict=True)],
        samples=samples, number=[None if sampled is None else 1 for sampled in samples], stderr="", errcode=0, profile=None,
    )  # fmt: skip
    benchmark = {"name": name, "version": "1", "params": params}
    results.add_result(benchmark, found, started_at=datetime(2026, 1, 1, tzinfo=UTC), record_samples=True)
    results.save(str(folder))


def history(folder: Path, levels) -> Path:
    """A folder in which the case of 64 goes through these levels, and that of 256 stays."""
    machine(folder)
    for commit, level in enumerate(levels, start=1):
        wobble = 1 + 0.01 * (commit % 3)
        add(folder, commit, [1e-5 * level * wobble, 2e-3 * wobble])
    return folder
