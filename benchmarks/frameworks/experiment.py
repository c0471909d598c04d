"""The textbook's whole experiment in one framework after another: its table asked for, its cells timed, its steps trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.frameworks import chapter, elsewhere, there
from benchmarks.frameworks.columns import Curve, Made, Timed, step_of
from benchmarks.frameworks.environments import Environment, Missing, environment
from benchmarks.frameworks.table import Framework
from benchmarks.harness import cases
from benchmarks.harness.host.threads import CORES
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Home, Worker, WorkerFailure
from kernels import registry
from minisgd.published import RUNS
from minisgd.train import Settings

IMPORT_S = 300.0
"""For a framework to be imported from a slow disk."""

CELLS_S = 900.0
"""For the cells of a tab: TensorFlow's elementwise product is half a minute, on a quiet machine."""

RUNGS_OF = {"quick": ("*",), "d2l": ("elementwise", "columnwise", "full", "block")}
"""Rungs by preset."""


def ready(framework: Framework, folder: Path, tell: Callable[[str], None]) -> tuple[Environment | None, Made]:
    """A framework's environment, None if it needs none, and its kernels and steps in this process's tables.

    Raises
    ------
    Missing
        If it cannot be installed or imported here.
    """
    if not framework.apart:
        for backend in framework.backends:
            if reason := registry.unavailable().get(backend):
                raise Missing(reason)
        return None, Made(name=framework.name)
    found = environment(framework, folder, tell)
    tell(f"importing {framework.name}")
    with worker(framework, found) as asked:
        try:
            elsewhere.enter(*asked.call(there.declarations, IMPORT_S, framework.backends, framework.steps))
        except WorkerFailure as failure:
            raise Missing(f"cannot be imported: {failure}") from None
    return found, Made(name=framework.name, versions=found.versions, megabytes=found.megabytes, seconds=found.seconds)


@contextmanager
def worker(framework: Framework, found: Environment | None, threads: int = CORES) -> Iterator[Worker]:
    """A fresh process in its environment."""
    made = Worker(elsewhere.home(framework, found, threads) if found else None)
    try:
        yield made
    finally:
        made.close()


def chosen(frameworks: Iterable[Framework], preset: str) -> list[Case]:
    """The cases of a preset: products of 256, and epochs of the textbook's data."""
    found: list[Case] = []
    for framework in frameworks:
        backends = [f"{backend}/{rung}" for backend in framework.backends for rung in RUNGS_OF[preset]]
        entries = [each for each in registry.available() if any(fnmatchcase(each.name, name) for name in backends)]
        found += cases.generate(entries, [{"m": 256, "n": 256, "p": 256}], ["float32"], [CORES], shrink=True)
        found += cases.epochs(framework.steps, [cases.AIRFOIL], cases.BATCHES, ["float32"], [1])
    return found


def homes(frameworks: dict[Framework, Environment | None]) -> Callable[[Case], Home | None]:
    """Where each case runs."""
    of_backend: dict[str, tuple[Framework, Environment | None]] = {}
    for framework, found in frameworks.items():
        of_backend |= dict.fromkeys(
            (*framework.backends, *(name.partition("-")[0] for name in framework.steps)), (framework, found)
        )

    def home(case: Case) -> Home | None:
        framework, found = of_backend[case.backend]
        return elsewhere.home(framework, found, case.threads) if found else None

    return home


def its_way(framework: Framework, found: Environment | None) -> Timed:
    """A tab's cells, products and training in a fresh process each.

    Raises
    ------
    WorkerFailure
        If a process dies of them.
    """
    assert framework.tab
    with worker(framework, found) as cells:
        products = cells.call(chapter.products, CELLS_S, framework.tab)
    with worker(framework, found) as cells:
        return products, cells.call(chapter.training, CELLS_S, framework.tab)


def curves(framework: Framework, found: Environment | None) -> list[Curve]:
    """The losses of a framework's own training, run by run.

    Raises
    ------
    WorkerFailure
        If the process dies of it.
    """
    made = []
    with worker(framework, found, threads=1) as trainer:
        for printed in RUNS:
            if step := step_of(framework, printed):
                rate, epochs = chapter.settings(framework.tab, printed)
                settings = Settings(step, printed.batch_size, rate, epochs)
                examples, losses = trainer.call(there.losses, CELLS_S, settings)
                made.append(Curve(framework=framework.name, run=printed.name, examples=examples, losses=losses))
    return made
