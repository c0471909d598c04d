"""Jobs of two ranks, and what a test does to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]

PATIENCE = 240
"""Seconds that a test waits at most for what is under way."""

RANK = {"gloo": "RANK", "MPI": "OMPI_COMM_WORLD_RANK"}

AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
"""As in a container."""


def launch(transport, *arguments, restarts=0):
    """Start python in two ranks, with the arguments."""
    by_torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        f"--max-restarts={restarts}",
        "--standalone",
    ]
    by_mpirun = [str(Path(sys.executable).parent / "mpirun"), "-n", "2", "--bind-to", "none", sys.executable]
    line = [*(by_torchrun if transport == "gloo" else by_mpirun), *map(str, arguments)]
    environment = os.environ | AS_ROOT | {"PYTHONPATH": str(ROOT)}  # a script's folder takes the place of the working one
    return subprocess.Popen(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment)


def ranks_of(job, transport):
    """The processes of a job that are there, by rank."""
    found = {}
    for each in psutil.Process(job.pid).children(recursive=True):
        try:
            rank = each.environ().get(RANK[transport])
        except psutil.Error:
            continue
        if rank is not None:
            found[int(rank)] = each
    return found


def points(path):
    """Of the history so far."""
    return json.loads(path.read_text(encoding="utf-8"))["points"] if path.exists() else []


def wait_until(true, job):
    """Wait until a function returns something true, or the job is over; the something."""
    began = time.monotonic()
    while not (found := true()) and job.poll() is None:
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.05)
    return found
