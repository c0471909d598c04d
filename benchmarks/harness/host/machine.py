"""This machine, described: CPU, caches, memory, libraries, and the threads that they would use by themselves."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess

import cpuinfo
import psutil

from benchmarks.harness.host import gpu, libraries
from benchmarks.harness.host.quota import quota
from benchmarks.harness.host.threads import CPUS
from benchmarks.harness.machines import Machine
from kernels import registry
from kernels.cpu.caches import caches
from kernels.cpu.vectors import vectors

LIBRARIES = ("numpy", "numba", "llvmlite", "torch", "triton", "numba-cuda", "nvidia-cublas", "scipy")


def describe() -> Machine:
    """Everything but the ceilings, which take measuring. Imports the backends, to see which BLAS each brings."""
    registry.unavailable()
    return Machine(
        cpu=cpuinfo.get_cpu_info().get("brand_raw") or platform.processor() or "unknown CPU",
        cores=CPUS,
        quota=quota(),
        vectors=vectors().name,
        caches=list(caches()),
        memory_bytes=psutil.virtual_memory().total,
        os=platform.platform(),
        python=platform.python_version(),
        libraries={name: version for name in LIBRARIES if (version := _version(name))},
        blas=libraries.loaded(),
        gpu=gpu.name(),
    )


COMMIT = "MINISGD_COMMIT"
"""Environment variable that tells the commit where the sources are without their history."""


def commit() -> str | None:
    """The checkout's commit, "+" behind it if the working tree differs; outside git what `COMMIT` says, or None."""
    try:
        head, status = (
            subprocess.run(["git", *command], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return os.environ.get(COMMIT)
    return head + ("+" if status else "")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
