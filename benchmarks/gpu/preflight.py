"""What this machine has: versions, a GPU and its clock, the backends that can be imported, and one product by each.

Versions are printed before anything else is imported, so that they stand above an import that fails.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import time

from benchmarks.gpu.parts import NO_GPU
from minisgd.common.cli import UsageError

DISTRIBUTIONS = (
    "numpy", "numba", "numba-cuda", "llvmlite", "torch", "triton", "cuda-core", "cuda-bindings", "nvidia-ml-py", "pydantic",
    "scipy", "typer", "rich",
)  # fmt: skip
SIZE = 64


def main() -> int:
    """Say it; `NO_GPU` if there is none, 1 if a backend fails that was imported."""
    print("python", sys.version.partition(" ")[0])
    for name in DISTRIBUTIONS:
        print(name, _version(name))
    for tool in ("nvcc", "compute-sanitizer"):
        print(tool, shutil.which(tool) or "not found")
    from benchmarks.harness import devices
    from benchmarks.harness.host import gpu, machine

    print("commit", machine.commit())
    print("GPU", gpu.name())
    try:
        device = devices.device("cuda")
    except UsageError as error:
        print(f"error: {error}")
        return NO_GPU
    from kernels import registry

    for backend, reason in registry.unavailable().items():
        print(f"{backend}: unavailable: {reason}")
    print(device.state())
    failed = 0
    backends = {each.backend: each for each in registry.available() if "cuda" in each.devices}  # the last is the highest rung
    for kernel in backends.values():
        start = time.perf_counter()
        failure = _product(kernel.name)
        print(f"{kernel.name}: {failure or 'right'}, {time.perf_counter() - start:.1f} s with compiling")
        failed |= failure is not None
    print(device.state())
    return int(failed)


def _product(name: str) -> str | None:
    """What is wrong with a small product; None if nothing is."""
    from benchmarks.harness import cases, timing
    from benchmarks.harness.devices import device
    from benchmarks.harness.workers import one_line
    from kernels import registry

    kernel = registry.find(name)
    case = cases.case(kernel, {"m": SIZE, "n": SIZE, "p": SIZE}, kernel.dtypes[0], device="cuda")
    try:
        with timing.prepared(case, device("cuda")) as work:
            return work.check().failure
    except Exception as error:  # a compiler, a driver or a kernel may raise anything
        return one_line(error)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main())
