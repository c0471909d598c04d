"""The textbook's whole experiment in one framework after another: its table asked for, its cells timed, its steps trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frameworks import chapter, elsewhere, there
from benchmarks.frameworks.columns import Curve, Made, Timed, step_of
from benchmarks.frameworks.environments import Environment, Missing, environment
from benchmarks.frameworks.table import Framework
from benchmarks.harness import cases
from benchmarks.harness.host.threads import CORES
from benchmarks.harness.records import Case
from benchmarks.harness.runs import ROUNDS
from benchmarks.harness.workers import Home, Worker, WorkerFailure
from kernels import registry
from minisgd.published import RUNS
from minisgd.train import Settings

IMPORT_S = 300.0
"""For a framework to be imported from a slow disk."""

CELLS_S = 900.0
"""For the cells of a tab: TensorFlow's and MXNet's are half a minute, on a quiet machine."""

PRODUCT = {"m": 256, "n": 256, "p": 256}

ROWS = 1
"""Of a, in `elementwise`: each element is a call that costs as much as any other, and 256 rows are four minutes in JAX."""


@dataclass(frozen=True)
class Preset:
    """What is measured, and how long.

    Parameters
    ----------
    rungs : tuple of str
    batches : tuple of int
        Sizes; one of 1 is left out for the steps with a framework's own optimiser, which the textbook has at 10.
    textbook : bool
        Whether its cells are timed its way, and its runs' losses followed.
    budget_s : float
        Seconds of samples of each case in each round.
    case_s : float
        Seconds after which a case is in no further round.
    rounds : int
    """

    rungs: tuple[str, ...]
    batches: tuple[int, ...]
    textbook: bool
    budget_s: float
    case_s: float
    rounds: int


PRESETS = {
    "quick": Preset(("*",), (10, 100), False, budget_s=0.01, case_s=0.5, rounds=3),
    "d2l": Preset(("elementwise", "columnwise", "full", "block"), cases.BATCHES, True, budget_s=0.03, case_s=1.5, rounds=ROUNDS),
}


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


def chosen(frameworks: Iterable[Framework], preset: Preset) -> list[Case]:
    """The cases of a preset: products of 256, and epochs of the textbook's data."""
    found: list[Case] = []
    for framework in frameworks:
        patterns = [f"{backend}/{rung}" for backend in framework.backends for rung in preset.rungs]
        for entry in (each for pattern in patterns for each in registry.available(pattern)):
            shape = {**PRODUCT, "m": ROWS} if entry.rung == "elementwise" else PRODUCT
            found += cases.generate([entry], [shape], ["float32"], [CORES])
        epochs = cases.epochs(framework.steps, [cases.AIRFOIL], preset.batches, ["float32"], [1])
        found += [each for each in epochs if (each.kernel, each.shape["batch"]) != (framework.concise, 1)]
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


def its_way(asked: Worker, tab: str) -> Timed:
    """A tab's cells, products and then training, in a process that has done nothing else, as in a notebook.

    Raises
    ------
    WorkerFailure
        If the process dies of them.
    """
    return asked.call(chapter.products, CELLS_S, tab), asked.call(chapter.training, CELLS_S, tab)


def curves(asked: Worker, framework: Framework) -> list[Curve]:
    """The losses of a framework's own training, run by run; without that of batch size 1, which is half a minute.

    Raises
    ------
    WorkerFailure
        If the process dies of it.
    """
    made = []
    for printed in RUNS:
        if printed.batch_size > 1 and (step := step_of(framework, printed)):
            rate, epochs = chapter.settings(framework.tab, printed)
            settings = Settings(step, printed.batch_size, rate, epochs)
            examples, losses = asked.call(there.losses, CELLS_S, settings)
            made.append(Curve(framework=framework.name, run=printed.name, examples=examples, losses=losses))
    return made
