"""A class of tests for pytest to collect: epochs of any shape and batch size, held to the float64 trajectory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernels.testing.parameters import of_each, require_cpu
from kernels.testing.trials import complaints
from minisgd import steps
from minisgd.objectives import OBJECTIVES
from minisgd.steps import Step
from minisgd.testing import apart
from minisgd.testing.epochs import follow, problem, rate, wrong

FEW = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
DRAWN = {
    "n": st.integers(1, 60), "d": st.integers(1, 70), "k": st.integers(1, 8), "share": st.floats(0, 1), "seed": st.integers(0, 99)
}  # fmt: skip
BATCHES = [((5, 1), 1), ((5, 1), 7), ((40, 1), 7), ((40, 3), 30), ((3000, 1), 30)]
"""d and k, and the batch size: narrow data and wide, of 30 examples."""


def check(*names: str) -> type:
    """Make the tests of steps, for a module of tests to give a name that pytest collects.

    They are those that this package's own steps pass: epochs of any shape and batch size, the last batch short, follow the
    float64 trajectory within its bound, for both objectives and each dtype; the same epochs give the same weights, whatever was
    prepared in between; examples, targets and order stay as they were; a visit out of range is an IndexError; no access beside
    the arrays, which lie between pages without any; epochs by several of a caller's threads at once, and on one thread, two and
    three.

    Parameters
    ----------
    names : str
        Of steps that run on the CPU, each registered by an entry point or before this call.

    Returns
    -------
    type

    Raises
    ------
    UnknownKernel
        If there is none of that name; the message has the nearest one.
    Unavailable
        If a step's backend cannot be imported; the message has the reason.
    ValueError
        If a step does not run on the CPU.

    Examples
    --------
    >>> TestMine = check("numba-fused")
    """
    found = [steps.find(name) for name in names]
    require_cpu("step", found)
    each_dtype = of_each("step", [(step, dtype) for step in found for dtype in step.dtypes])
    each_objective = pytest.mark.parametrize("objective", OBJECTIVES)
    members = {
        "test_every_shape_and_batch_follows_the_trajectory": each_dtype(each_objective(_any_shape())),
        "test_the_same_epochs_give_the_same_weights": each_dtype(_same_twice()),
        "test_a_visit_out_of_range_is_an_index_error": each_dtype(_out_of_range()),
        "test_guarded_memory_and_threads": _apart(found),
    }
    return type("TestSteps", (), members)


def _any_shape() -> Callable[..., None]:
    @given(**DRAWN)
    @example(n=57, d=5, k=1, share=0.0, seed=0)
    @example(n=57, d=6, k=1, share=0.3, seed=0)
    @example(n=57, d=1, k=1, share=1.0, seed=0)
    @example(n=1, d=7, k=1, share=1.0, seed=0)
    @example(n=23, d=70, k=8, share=0.2, seed=0)
    @FEW
    def test(self: object, step: Step, dtype: str, objective: str, n: int, d: int, k: int, share: float, seed: int) -> None:
        batch_size = 1 + round(share * (n - 1))
        if step.singles:
            objective, k, batch_size = "squared", 1, 1
        if complaint := wrong(step.function, problem(objective, (n, d, k), dtype, seed), batch_size, seed):
            pytest.fail(f"{step.name} {dtype}: {complaint}")

    return test


def _same_twice() -> Callable[..., None]:
    def test(self: object, step: Step, dtype: str) -> None:
        batch_size = 1 if step.singles else 10
        one, other = (problem("squared", shape, dtype, seed=0) for shape in ((57, 6, 1), (40, 9, 1)))
        first, _, _ = follow(step.function, one, batch_size, seed=0)
        follow(step.function, other, batch_size, seed=1)
        again, _, _ = follow(step.function, one, batch_size, seed=0)
        np.testing.assert_array_equal(again, first)

    return test


def _out_of_range() -> Callable[..., None]:
    def test(self: object, step: Step, dtype: str) -> None:
        for (d, k), batch_size in BATCHES:
            for visit in (30, 10**12) if apart.fits(step, (30, d, k), batch_size, "squared") else ():
                some = problem("squared", (30, d, k), dtype, seed=0)
                epoch = step.function(some.x, some.y, np.zeros((d, k), dtype), np.zeros(k, dtype), "squared")
                order = np.arange(30)
                order[13] = visit
                with pytest.raises(IndexError):
                    epoch(order, batch_size, rate(some.x))

    return test


def _apart(found: list[Step]) -> Callable[[object], None]:
    """One process for all, as long as none crashes."""

    def test(self: object) -> None:
        tried = [trial for step in found for dtype in step.dtypes for trial in apart.trials(step, dtype)]
        if complained := list(complaints(tried)):
            pytest.fail("\n".join(complained))

    return test
