"""What a side brings to be measured, asked in workers of that side, so that whatever cannot be imported costs its own rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import tracked
from benchmarks.gate.paired import Side
from benchmarks.harness import names
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker, WorkerFailure
from kernels.registry import PRODUCTS
from minisgd.steps import STEPS

SIZES, BATCHES = {64, 256}, {10, 1500}
"""Of the tracked grid, what is enough to tell whether a kernel got slower: one size of overhead, and one of arithmetic."""

DTYPE = "float32"
"""Of a kernel that takes it; of any other, all that it takes."""

LOAD_S = 120.0

GROUPS = {"kernels": "gemm", "minisgd.steps": "sgd"}
"""Entry-point groups, and the workload of what is registered there."""


class Plugin(NamedTuple):
    """An entry point of a stranger's: its group, its name, and the module that it names."""

    group: str
    name: str
    module: str


@dataclass(frozen=True)
class Grid:
    """A side's cases, each with what brings it (None: the suite itself), and why those that bring none could not be asked."""

    cases: dict[Case, str | None] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def of_suite(side: Side, device: str = "cpu") -> Grid:
    """Every kernel and step of the device that a side's registry has, at the gate's sizes.

    Raises
    ------
    WorkerFailure
        If the side's packages cannot be imported, or know no registry like ours; it says which side.
    """
    worker = Worker(side.home)
    try:
        return Grid(dict.fromkeys(worker.call(cases_here, LOAD_S, device)))
    except WorkerFailure as failure:
        raise WorkerFailure(f"{side.name}: {failure}") from None
    finally:
        worker.close()


def of_strangers(side: Side, brought: Iterable[Plugin], device: str = "cpu") -> Grid:
    """The same of each plug-in that a side brings, each in a process of its own."""
    found = Grid()
    for plugin in brought:
        worker = Worker(side.home)
        try:
            for case in worker.call(cases_of, LOAD_S, plugin, device):
                if case not in found.cases or case.backend == plugin.name:  # a module may import another plug-in's
                    found.cases[case] = plugin.name
        except WorkerFailure as failure:
            found.missing[plugin.name] = str(failure)
        finally:
            worker.close()
    return found


def of_tests(side: Side, file: str) -> Grid:
    """The tests of a file that ask for the fixture of pytest-benchmark."""
    worker = Worker(side.home)
    try:
        return Grid(dict.fromkeys(worker.call(tests_of, LOAD_S, file), file))
    except WorkerFailure as failure:
        return Grid(missing={file: str(failure)})
    finally:
        worker.close()


def tests_of(file: str) -> list[Case]:
    """The cases of a file's tests; runs in a worker."""
    from benchmarks.harness.workloads import pytest_test  # which loads pytest: for those who measure tests alone

    about: dict[str, Any] = {"rung": "test", "backend": "pytest", "dtype": names.ANY, "shape": {}, "threads": 1}
    return [Case(workload="test", kernel=name, **about) for name in pytest_test.names_in(file)]


def cases_here(device: str = "cpu") -> list[Case]:
    """The cases of this process's registry; runs in a worker. None has a tile: each side has its own, which may differ."""
    return _at_the_gates_sizes(tracked.all_cases("gemm", device) + tracked.all_cases("sgd", device), device)


def cases_of(plugin: Plugin, device: str = "cpu") -> list[Case]:
    """The cases of what a plug-in adds to its table; runs in a worker that has listed nothing yet.

    Raises
    ------
    ImportError
        If it cannot be imported, or comes from elsewhere than the side: from an editable installation, say.
    """
    table = PRODUCTS if GROUPS[plugin.group] == "gemm" else STEPS
    entries = [each for each in table.registered_by(plugin.name) if device in each.devices]
    if not (place := Path(str(sys.modules[plugin.module].__file__))).is_relative_to(sys.path[0]):
        raise ImportError(f"{plugin.module} is imported from {place.parent}; uninstall what is installed from there")
    return _at_the_gates_sizes(tracked.cases_of(GROUPS[plugin.group], entries, device), device)


def _at_the_gates_sizes(found: Iterable[Case], device: str) -> list[Case]:
    sizes = SIZES if device == "cpu" else {*tracked.GPU_SIZES}
    kept = [case for case in found if (case.shape.get("batch") or case.shape["m"]) in sizes | BATCHES]
    usual = {case.kernel for case in kept if case.dtype == DTYPE}
    return [case.model_copy(update={"tile": None}) for case in kept if case.dtype == DTYPE or case.kernel not in usual]
