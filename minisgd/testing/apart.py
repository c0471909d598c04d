"""What is tried of a step in a process of its own: epochs beside guarded memory, and from several threads at once."""

from __future__ import annotations

from functools import partial

from kernels.testing.guarded import guarded
from kernels.testing.trials import Trial, at_once, on_each_count
from minisgd import steps
from minisgd.objectives import OBJECTIVES
from minisgd.steps import Step
from minisgd.testing.epochs import Array, problem, wrong

SHAPES = [((1, 1, 1), 1), ((57, 5, 1), 1), ((57, 5, 1), 10), ((57, 33, 3), 10), ((57, 33, 3), 57), ((23, 300, 1), 5)]
"""n, d and k, and the batch size; of a step that takes single examples alone, those that fit."""

SHARED = (300, 20, 1)
WIDE = (300, 700, 1)
"""Enough for several threads to share."""


def fits(step: Step, shape: tuple[int, int, int], batch_size: int, objective: str) -> bool:
    """Whether a step takes such epochs."""
    return not step.singles or (shape[2] == 1 == batch_size and objective == "squared")


def beside(name: str, dtype: str) -> str | None:
    """Epochs on arrays that end, or begin, where the process's memory does; examples, targets and order cannot be written."""
    step = steps.find(name)
    for shape, batch_size in SHAPES:
        for objective in OBJECTIVES:
            for last in (True, False):
                given = problem(objective, shape, dtype, seed=0)
                if fits(step, shape, batch_size, objective) and (
                    found := wrong(step.function, given, batch_size, lay=partial(_lay, last))
                ):
                    return found
    return None


def _lay(last: bool, array: Array, writable: bool) -> Array:
    return guarded(array, last, writable)


def together(name: str, dtype: str) -> str | None:
    """Epochs by several of a caller's threads at once, each on data of its own."""
    step = steps.find(name)
    batch_size = 1 if step.singles else 7
    return at_once(lambda seed: wrong(step.function, problem("squared", SHARED, dtype, seed), batch_size, seed))


def counts(name: str, dtype: str) -> str | None:
    """Epochs on several counts of threads."""
    step, given = steps.find(name), problem("squared", WIDE, dtype, seed=0)
    return on_each_count(lambda: wrong(step.function, given, 1 if step.singles else 130))


TRIALS = {"beside guarded memory": beside, "from several threads at once": together, "on several threads": counts}
"""What is tried, in words."""


def trials(step: Step, dtype: str) -> list[Trial]:
    """Those that a step is put to."""
    chosen = {what: function for what, function in TRIALS.items() if step.threads or function is not counts}
    return [Trial(step.name, dtype, what, function) for what, function in chosen.items()]
