"""A search among the tiles of a GPU's kernel: all that may fit are tried once, and the best of them in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.harness import derived, timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker, WorkerFailure
from benchmarks.harness.workloads.gemm import Function, Product
from benchmarks.inside.turns import Way, alternate, gflops
from kernels import registry
from kernels.dtypes import stored
from minisgd.common import files

EDGES = (8, 16, 32, 64, 128)
"""Of the tiles of a kernel whose tile is a parameter; it refuses what a block has no room for."""

BUDGET_S = 0.02
BEST, TURNS = 8, 12
TIMEOUT_S = 120.0

Configuration = Mapping[str, int]


@dataclass(frozen=True)
class Tried:
    """A configuration, and its rate or what is wrong with it."""

    configuration: dict[str, int]
    gflops: float | None
    failure: str | None = None


def choices(kernel: registry.Kernel, dtype: str) -> list[dict[str, int]]:
    """Configurations worth trying; none if the kernel has nothing to choose."""
    if kernel.backend.startswith("triton"):
        from kernels.triton.configurations import candidates

        size = stored(dtype).itemsize
        return [each._asdict() for persistent in (False, True) for each in candidates(size, persistent)]
    names = list(kernel.tile_for(dtype, "cuda"))
    return [dict(zip(names, sizes, strict=True)) for sizes in product(EDGES, repeat=len(names))] if names else []


def function(case: Case, configuration: Configuration) -> Function:
    """A case's kernel in a configuration."""
    kernel = registry.find(case.kernel)
    if not kernel.backend.startswith("triton"):
        return kernel.bind(configuration)
    import torch

    from kernels.triton import configurations, launch

    sizes: dict[str, Any] = dict(configuration)
    chosen = configurations.Configuration(**sizes)
    processors = launch.gpu(torch.device("cuda", torch.cuda.current_device())).processors
    return lambda a, b, out: launch.launch(case.dtype, a, b, out, chosen, processors)


def keep(case: Case, best: Configuration) -> Path:
    """Have a kernel of Triton take a configuration from now on; the file that says so, to be committed."""
    import torch

    from kernels.triton import configurations, launch, measured

    sizes: dict[str, Any] = dict(best)
    gpu = launch.gpu(torch.device("cuda", torch.cuda.current_device())).name
    m, n, p = (max(1, case.shape[size]) for size in "mnp")
    text = measured.added(gpu, case.dtype, (m, n, p), configurations.Configuration(**sizes))
    files.write(measured.FILE, text)
    return measured.FILE


def rate(case: Case, configuration: Configuration) -> float:
    """GFLOPS of a configuration; runs in a worker.

    Raises
    ------
    ArithmeticError
        If the product is wrong.
    """
    where = device(case.device)
    with timing.usable(where):
        work = Product(case, where, function=function(case, configuration))
        where.seconds(work.calls(1))
        if failure := work.check().failure:
            raise ArithmeticError(failure)
        taken = timing.sample(work, where, BUDGET_S).seconds
    return derived.gflops(case, min(taken))


def rates(case: Case, configurations: list[Configuration]) -> list[float]:
    """GFLOPS of configurations, measured in turns; runs in a worker."""
    where = device(case.device)
    with timing.usable(where):
        seconds = alternate([Way(case, function(case, each)) for each in configurations], where, TURNS)
    return [gflops(case, each) for each in seconds]


def search(case: Case, advance: Callable[[str], None]) -> Iterator[Tried]:
    """Every configuration, tried; then the `BEST` of them again, the best first, at the rates of their turns."""
    worker, passed = Worker(), list[Tried]()
    try:
        for each in choices(registry.find(case.kernel), case.dtype):
            advance(", ".join(f"{name} {size}" for name, size in each.items()))
            try:
                passed.append(Tried(each, worker.call(rate, TIMEOUT_S, case, each)))
            except WorkerFailure as failure:
                yield Tried(each, None, str(failure))
        passed.sort(key=lambda tried: -(tried.gflops or 0))
        best = [tried.configuration for tried in passed[:BEST]]
        if best:
            again = worker.call(rates, TIMEOUT_S, case, best)  # type: ignore[arg-type]
            passed[:BEST] = sorted(map(Tried, best, again), key=lambda tried: -(tried.gflops or 0))
    finally:
        worker.close()
    yield from passed
