"""The SGD step, built many times over; every implementation obeys one contract and enters one table.

An implementation is a function ``prepare(x, y, weights, bias, objective)`` that returns ``epoch(order, batch_size, rate)``:
what may be made ready is made ready untimed, and an epoch visits the examples in `order`, updating `weights` (d, k) and `bias`
(k,) in place after each minibatch:

    W <- W - rate X_B^T r / |B|,    b <- b - rate sum r / |B|,    r the residual of the batch (see `minisgd.objectives`).

Given the same order, all follow the same trajectory, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels import arrays
from kernels.table import Table
from minisgd.objectives import OBJECTIVES

Array = NDArray[Any]
Epoch = Callable[[NDArray[np.int64], int, float], None]
Prepare = Callable[[Array, Array, Array, Array, str], Epoch]
OneStep = Callable[[Array, Array, Array, Array, float, str], None]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Step:
    """An implementation and what it declares of itself.

    Parameters
    ----------
    name : str
        Backend, and a variant behind a dash.
    function : callable
        ``prepare(x, y, weights, bias, objective)``, all numpy arrays of one dtype, C-contiguous.
    threads : bool
        Whether the number of threads makes a difference.
    compiles : bool
        Whether the first call compiles.
    singles : bool
        Whether it takes one output, squared error and batches of one example alone.
    dtypes : tuple of str
        Element types that it takes.
    devices : tuple of str
        Where its arrays may live: "cpu", as numpy arrays; "cuda", as torch tensors on the GPU, the visiting order too.
    order : int
        Place in the table.
    """

    name: str
    function: Prepare
    threads: bool = False
    compiles: bool = False
    singles: bool = False
    dtypes: tuple[str, ...] = ("float32", "float64")
    devices: tuple[str, ...] = ("cpu",)
    order: int = 0

    @property
    def backend(self) -> str:
        """The module that registers it: the longest of the table's backends that the name begins with."""
        named = [each for each in STEPS.backends if self.name == each or self.name.startswith(f"{each}-")]
        return max(named, key=len, default=self.name.partition("-")[0])


STEPS: Table[Step] = Table(
    "step",
    "minisgd.steps",
    {
        "python": "minisgd.steps.python_step",
        "numpy": "minisgd.steps.numpy_step",
        "numba": "minisgd.steps.numba_steps",
        "torch": "minisgd.steps.torch_steps",
        "sklearn": "minisgd.steps.sklearn_step",
        "cuda": "minisgd.steps.cuda_fused",
    },
    rank=lambda step: step.order,
    apart={
        "mxnet": "minisgd.steps.mxnet_steps",
        "tensorflow": "minisgd.steps.tensorflow_steps",
        "jax": "minisgd.steps.jax_steps",
    },  # see `kernels.registry.APART`
)

find, available, unavailable = STEPS.find, STEPS.available, STEPS.unavailable


def step(name: str, **declared: Any) -> Callable[[Function], Function]:
    """Register the decorated ``prepare``, behind a check of its arguments; the keywords are those of `Step`."""

    def register(function: Function) -> Function:
        @wraps(function)
        def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
            check(x, y, weights, bias, objective)
            if (place := arrays.device(x)) not in made.devices:
                raise ValueError(f"x: {name} runs on {' or '.join(made.devices)}, got an array on {place}")
            if (dtype := arrays.dtype(x)) not in made.dtypes:
                raise ValueError(f"x: {name} takes {' or '.join(made.dtypes)}, got {dtype}")
            epoch: Epoch = function(x, y, weights, bias, objective)
            return epoch

        made = Step(name, prepare, order=len(STEPS), **declared)
        STEPS.add(made)
        return function

    return register


def check(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> None:
    """Refuse what no step is made for.

    Raises
    ------
    ValueError
        If the objective is unknown, or an array's shape, dtype or device does not fit; the message names it.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"objective: expected {' or '.join(OBJECTIVES)}, got {objective!r}")
    if x.ndim != 2 or y.ndim != 2:
        raise ValueError(f"x and y: expected 2 dimensions each, got {x.ndim} and {y.ndim}")
    (n, d), k = x.shape, y.shape[1]
    for name, array, shape in (("y", y, (n, k)), ("weights", weights, (d, k)), ("bias", bias, (k,))):
        if array.shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
        if array.dtype != x.dtype:
            raise ValueError(f"{name}: expected {x.dtype} as x is, got {array.dtype}")
        if arrays.device(array) != arrays.device(x):
            raise ValueError(f"{name}: expected an array on {arrays.device(x)} as x is, got one on {arrays.device(array)}")


def stepwise(one: OneStep) -> Prepare:
    """An implementation from one step ``one(weights, bias, x_batch, y_batch, rate, objective)``."""

    def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
        def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                one(weights, bias, x[rows], y[rows], rate, objective)

        return epoch

    return prepare


def copied(
    x: Array, y: Array, load: Callable[[], None], one: Callable[[Array, Array, float], None], store: Callable[[], None]
) -> Epoch:
    """An epoch of steps ``one(x_batch, y_batch, rate)`` in a framework that has weights of its own.

    They are loaded from the caller's arrays before the first step and stored there after the last, which waits for it.
    """

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        load()
        xs, ys = x[order], y[order]
        for start in range(0, len(order), batch_size):
            one(xs[start : start + batch_size], ys[start : start + batch_size], rate)
        store()

    return epoch


def flops(n: int, d: int, k: int, batch_size: int) -> int:
    """Multiplications and additions of an epoch: 4bdk a step (forward and gradient are a 2bdk product each), and the update.

    The update of a step is a multiplication and a subtraction for each of the (d + 1) k parameters.

    Examples
    --------
    >>> flops(1500, 5, 1, 10)
    31800
    """
    steps = -(-n // batch_size)
    return 4 * n * d * k + 2 * steps * (d + 1) * k
