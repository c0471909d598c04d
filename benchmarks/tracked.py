"""What is tracked over commits: one curated grid of cases, for asv and for pytest-benchmark, from the registry.

asv names a benchmark by module, class and method, and a point by its place in the product of the method's parameters; it
looks the place up again in the commit that it measures. So each kernel gets a class of its own, whose parameters depend on
that kernel alone: a kernel that a commit lacks shifts nobody else's points. Parameters are the fields of a case, the first
being the kernel's name, so that a stored result says what it is.

What a commit cannot measure is skipped: asv stores NaN for a benchmark that raises `SkipNotImplemented`, and goes on. So that a
commit which lacks what the harness needs can be listed all the same, this module imports the harness in its functions.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from benchmarks.harness.names import class_name

if TYPE_CHECKING:
    from benchmarks.harness.records import Case
    from benchmarks.harness.timing import Slice
    from kernels.registry import Kernel
    from minisgd.steps import Step

VERSION = "1"
"""Of the way in which a point is measured. Another version cuts every series, so it is raised on purpose or not at all."""

SIZES = (64, 256, 512)
GPU_SIZES = (256, 2048)
"""On a GPU, where the one is mostly overhead and the other arithmetic."""

THREADS = (1, 2)
"""The same on every machine, so that the same points are; one that has fewer cores skips."""

LARGE = 512
"""Size at which rates and workspace are tracked: a square product in float32."""

SAMPLES_S = 0.1
"""Seconds of samples of a point in a process."""

STARTED_S = 0.25
"""In a process that asv has just forked OpenBLAS starts its threads anew, and they spin beside the measurement before they sleep:
a product took twice as long."""

PROCESSES = 2
"""In which a point is timed: what one process happens to find, its memory's placement say, the other may not."""

GRAPHS = "MINISGD_TRACK_GFLOPS"
"""Set it to track GFLOPS as well, for the graphs of a site. ``asv compare`` reads less as better of everything and would call
a kernel that got slower improved, so what is compared has seconds alone."""

Point = tuple[Any, ...]


def classes(workload: str) -> dict[str, type]:
    """Benchmark classes of a workload by name; none on a commit that the harness cannot measure.

    Parameters
    ----------
    workload : {"gemm", "sgd"}
    """
    try:
        from benchmarks.harness import devices, timing  # noqa: F401 (what every point will need)
        from minisgd import steps  # noqa: F401
    except ImportError as error:
        print(f"nothing can be measured here: {error}", file=sys.stderr)
        return {}
    make = _product if workload == "gemm" else _epoch
    return {
        class_name(each.name, device): make(each, device) for device in devices.here() for each in kernels_of(workload, device)
    }


def absent(name: str) -> type:
    """Stand in for the class of a kernel that this commit lacks: each of its points is skipped.

    Raises
    ------
    AttributeError
        If it is not the name of a class.
    """
    if not name[:1].isupper():
        raise AttributeError(name)

    def skip(self: object, place: int) -> None:
        _skip(f"{name} does not exist in this commit")

    skip.params = [list(range(10_000))]  # type: ignore[attr-defined] # whichever place asv asks for
    skip.version = VERSION  # type: ignore[attr-defined]
    methods = ("track_seconds", "track_gflops", "track_compile", "track_workspace")
    return type(name, (), dict.fromkeys(methods, skip))


def products(kernel: Kernel, device: str = "cpu") -> dict[str, list[Any]]:
    """The grid of a kernel on a device: the values of each parameter, by name. That of the CPU has no device, as ever."""
    from benchmarks.harness.cases import DTYPES_ON, at_most

    return {
        "kernel": [kernel.name],
        "size": sorted({at_most(kernel.name, size, device) for size in (SIZES if device == "cpu" else GPU_SIZES)}),
        "dtype": [dtype for dtype in kernel.dtypes if dtype in DTYPES_ON[device]],
        **_where(device, kernel.threads),
    }


def epochs(step: Step, device: str = "cpu") -> dict[str, list[Any]]:
    """The grid of a step, on the shape of the chapter's data: the values of each parameter, by name."""
    from benchmarks.harness.cases import BATCHES

    return {
        "kernel": [step.name],
        "batch_size": [1] if step.singles else list(BATCHES),
        "dtype": ["float32"],
        **_where(device, step.threads),
    }


def _where(device: str, threads: bool) -> dict[str, list[Any]]:
    if device == "cpu":
        return {"threads": list(THREADS if threads else THREADS[:1])}
    return {"threads": [1], "device": [device]}


def kernels_of(workload: str, device: str = "cpu") -> list[Any]:
    """What is tracked on a device: every kernel for it, or the steps that a quick run measures; none if it has none."""
    from benchmarks.harness import cases
    from kernels import registry
    from minisgd import steps

    found: list[Any] = (
        cases.matching(registry.PRODUCTS, ("*",))
        if workload == "gemm"
        else cases.matching(steps.STEPS, cases.QUICK_STEPS[device])
    )
    return [each for each in found if device in each.devices]


def all_cases(workload: str, device: str = "cpu") -> list[Case]:
    """Every case of a device's grid that this machine has the cores for."""
    return cases_of(workload, kernels_of(workload, device), device)


def cases_of(workload: str, entries: Iterable[Any], device: str = "cpu") -> list[Case]:
    """Those of some kernels, or steps."""
    from benchmarks.harness.host.threads import CORES

    grid = products if workload == "gemm" else epochs
    points = [point for each in entries for point in product(*grid(each, device).values())]
    return [made for made in (case(workload, *point) for point in points) if made.threads <= CORES]


def everywhere(workload: str) -> list[Case]:
    """Every case of the grids of this machine's devices."""
    from benchmarks.harness import devices

    return [case for device in devices.here() for case in all_cases(workload, device)]


def threads() -> list[int]:
    """Thread counts of the grid that this machine has the cores for."""
    from benchmarks.harness.host.threads import CORES

    return [count for count in THREADS if count <= CORES]


def case(workload: str, kernel: str, size: int, dtype: str, threads: int, device: str = "cpu") -> Case:
    """The case of a point; `size` is the batch size of an epoch."""
    from benchmarks.harness import cases
    from kernels import registry

    if workload == "gemm":
        return cases.case(registry.find(kernel), {"m": size, "n": size, "p": size}, dtype, threads=threads, device=device)
    return cases.epochs([kernel], [cases.AIRFOIL], [size], [dtype], [threads], device)[0]


def _product(kernel: Kernel, device: str) -> type:
    """The benchmarks of a kernel on a device."""
    grid = products(kernel, device)

    def track_gflops(self: object, *point: Any) -> float:
        from statistics import median

        from benchmarks.harness.derived import gflops

        case = _measurable("gemm", *point)
        return gflops(case, median(_measure(case).samples_s))

    def track_workspace(self: object, *point: Any) -> float:
        from benchmarks.harness.memory import workspace

        return workspace(_measurable("gemm", *point))

    large = {**grid, "size": grid["size"][-1:], "dtype": grid["dtype"][:1]}
    methods = {
        "track_seconds": _seconds("gemm", grid),
        "track_workspace": _declare(track_workspace, {**large, "threads": [1]}, unit="bytes"),
    }
    if os.environ.get(GRAPHS):
        methods["track_gflops"] = _declare(track_gflops, large, unit="GFLOPS", higher_is_better=True)
    if kernel.compiles:
        methods["track_compile"] = _compile("gemm", {**grid, "size": grid["size"][:1], "threads": [1]})
    return type(class_name(kernel.name, device), (), methods)


def _epoch(step: Step, device: str) -> type:
    """The benchmarks of a step on a device."""
    grid = epochs(step, device)
    methods = {"track_seconds": _seconds("sgd", grid)}
    if step.compiles:
        methods["track_compile"] = _compile("sgd", {**grid, "batch_size": [10], "threads": [1]})
    return type(class_name(step.name, device), (), methods)


def _seconds(workload: str, grid: dict[str, list[Any]]) -> Callable[..., Any]:
    """Samples by the harness's own clock. asv's would count making the operands, or make them again for every single call."""

    def track_seconds(self: object, *point: Any) -> dict[str, Any]:
        found = _measure(_measurable(workload, *point))
        return {"samples": found.samples_s, "number": found.calls_per_sample}

    return _declare(track_seconds, grid, type="time", unit="seconds", rounds=PROCESSES)


def _compile(workload: str, grid: dict[str, list[Any]]) -> Callable[..., Any]:
    def track_compile(self: object, *point: Any) -> float:
        from benchmarks.harness.compiling import seconds_to_compile

        return seconds_to_compile(_measurable(workload, *point))

    return _declare(track_compile, grid, unit="seconds")


def _declare(method: Callable[..., Any], grid: dict[str, list[Any]], **attributes: Any) -> Callable[..., Any]:
    """Give a method what asv reads from it."""
    for name, value in {"params": list(grid.values()), "param_names": list(grid), "version": VERSION, **attributes}.items():
        setattr(method, name, value)
    return method


def _measurable(workload: str, *point: Any) -> Case:
    """The case of a point, or asv told to skip it."""
    from benchmarks.harness.host.threads import CORES
    from kernels import Unavailable, UnknownKernel
    from minisgd.common.cli import UsageError

    threads = point[3]
    if threads > CORES:
        _skip(f"{threads} threads on {CORES} cores")
    try:
        return case(workload, *point)
    except (UnknownKernel, Unavailable, UsageError) as error:
        _skip(str(error))
        raise


def _measure(case: Case) -> Slice:
    """Samples that count: a kernel that fails its check has no speed."""
    from benchmarks.harness.host import threads
    from benchmarks.harness.timing import measure

    with threads.limited_to(case.threads):
        time.sleep(STARTED_S)
    found = measure(case, SAMPLES_S)
    if found.check.failure:
        raise ArithmeticError(f"{case.kernel} {case.size} {case.dtype}: {found.check.failure}")
    return found


def _skip(why: str) -> None:
    from asv_runner.benchmarks.mark import SkipNotImplemented

    raise SkipNotImplemented(why)
