"""Train a linear model by minibatch SGD, and keep the history of loss against time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from kernels.table import Unavailable, UnknownKernel
from minisgd import steps
from minisgd.common.cli import UsageError
from minisgd.data import Problem
from minisgd.objectives import OBJECTIVES, loss
from minisgd.orders import orders
from minisgd.schedules import SCHEDULES
from minisgd.steps import Array, Prepare

SEEDS = 2**64
"""As many as the generator of the visiting orders has states."""


class Diverged(ArithmeticError):
    """The loss is no longer a finite number; the history up to there is kept."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    step : str
        A name in `minisgd.steps`.
    batch_size : int
    rate : float
        Learning rate of the first epoch.
    epochs : int
    schedule : str
        A name in `minisgd.schedules`.
    dtype : {"float32", "float64"}
    seed : int
        Of the visiting orders.
    replacement : bool
        Draw the examples with replacement, instead of a permutation each epoch.
    drop_last : bool
        Leave out a last batch that is short, instead of stepping on it.
    """

    step: str = "numba-fused"
    batch_size: int = 10
    rate: float = 0.05
    epochs: int = 2
    schedule: str = "constant"
    dtype: str = "float32"
    seed: int = 0
    replacement: bool = False
    drop_last: bool = False


@dataclass(frozen=True)
class Point:
    """Where training stood: seconds without evaluation, examples seen, mean loss of an example."""

    seconds: float
    examples: int
    loss: float


@dataclass
class History:
    """What was trained, on what, and how it went.

    Parameters
    ----------
    problem : str
        Name of the data: "airfoil" is the real data and nothing else.
    n : int
        Examples an epoch.
    settings : Settings
    floor : float or None
        The least loss there is.
    points : list of Point
        One before the first epoch, and one at each evaluation.
    """

    problem: str
    n: int
    settings: Settings
    floor: float | None
    points: list[Point] = field(default_factory=list)

    @property
    def seconds_an_epoch(self) -> float:
        """Mean over the epochs, without evaluation; shuffling counts."""
        return self.points[-1].seconds / max(1, self.points[-1].examples // self.n)


@dataclass(frozen=True)
class Checkpoint:
    """Where training stood at the end of an epoch, for `train` to go on from there.

    Parameters
    ----------
    weights : (d, k) array
        Of the settings' dtype, as is the bias.
    bias : (k,) array
    points : list of Point
        The history up to there.
    """

    weights: Array
    bias: Array
    points: list[Point]


def check(settings: Settings, problem: Problem) -> None:
    """Refuse settings that make no sense for the data.

    Raises
    ------
    UsageError
        That names the setting, what was expected and what came.
    """
    n = len(problem.x)
    if problem.objective not in OBJECTIVES:
        raise UsageError(f"objective {problem.objective!r} of {problem.name}: expected {' or '.join(OBJECTIVES)}")
    if problem.x.ndim != 2 or problem.y.ndim != 2 or len(problem.y) != n:
        raise UsageError(f"{problem.name}: expected x (n, d) and y (n, k), got shapes {problem.x.shape} and {problem.y.shape}")
    for name, values in {"x": problem.x, "y": problem.y}.items():
        if len(wrong := np.argwhere(~np.isfinite(values))):
            row, column = wrong[0]
            raise UsageError(
                f"{name} of {problem.name}, row {row}, column {column}: expected a finite number, got {values[row, column]}"
            )
    if not 1 <= settings.batch_size <= n:
        raise UsageError(f"batch size {settings.batch_size}: expected 1 to {n}, the number of examples")
    if not math.isfinite(settings.rate):
        raise UsageError(f"learning rate {settings.rate}: expected a finite number")
    if not 0 <= settings.seed < SEEDS:
        raise UsageError(f"seed {settings.seed}: expected 0 to {SEEDS - 1}")
    if settings.epochs < 0:
        raise UsageError(f"epochs {settings.epochs}: expected 0 or more")
    if settings.schedule not in SCHEDULES:
        raise UsageError(f"schedule {settings.schedule!r}: expected {', '.join(SCHEDULES)}")
    if settings.dtype not in ("float32", "float64"):
        raise UsageError(f"dtype {settings.dtype!r}: expected float32 or float64")
    if problem.objective == "logistic" and not np.isin(problem.y, (0, 1)).all():
        raise UsageError(f"labels of {problem.name}: expected 0 and 1 for logistic, got {problem.y.min()} to {problem.y.max()}")
    try:
        step = steps.find(settings.step)
    except (UnknownKernel, Unavailable) as error:
        raise UsageError(str(error)) from None
    if settings.dtype not in step.dtypes:
        raise UsageError(f"step {step.name!r} takes {' or '.join(step.dtypes)}; expected --dtype {step.dtypes[0]}")
    if "cpu" not in step.devices:
        raise UsageError(
            f"step {step.name!r} runs on {' or '.join(step.devices)}; training is on the CPU, whose steps are others"
        )
    if step.singles and (settings.batch_size > 1 or problem.objective != "squared" or problem.y.shape[1] > 1):
        raise UsageError(f"step {step.name!r} takes batches of one, squared error and one output; expected --batch-size 1")


def evaluations(seen: int, n: int, batch_size: int, every: int) -> list[int]:
    """Where in an epoch of n examples the loss is looked at: at the end of each batch in which a multiple of `every` is passed.

    The multiples are of all examples, with those `seen` in the epochs before.

    Examples
    --------
    >>> evaluations(0, 1500, 100, 400), evaluations(1500, 1500, 100, 400), evaluations(0, 1500, 1500, 400)
    ([400, 800, 1200], [100, 500, 900, 1300], [1500])
    """
    passed = range(seen // every + 1, (seen + n) // every + 1)
    return sorted({min(-(-(multiple * every - seen) // batch_size) * batch_size, n) for multiple in passed})


class _Training:
    """Weights on their way from zero, and the history of their loss.

    Parameters
    ----------
    problem : Problem
    settings : Settings
        Checked.
    prepare : callable
        The step, which is compiled here, as are the visiting orders.
    watch : callable
        Given the history after each evaluation.
    checkpoint : Checkpoint, optional
        Where to go on from: after `done` epochs.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        prepare: Prepare,
        watch: Callable[[History], None],
        checkpoint: Checkpoint | None = None,
    ) -> None:
        data = problem.astype(settings.dtype)
        (n, d), k = data.x.shape, data.y.shape[1]
        self.weights, self.bias = np.zeros((d, k), settings.dtype), np.zeros(k, settings.dtype)
        operands = data.x, data.y, self.weights, self.bias, data.objective
        # A batch and a rate of zero: compiles, and leaves the weights alone.
        prepare(*operands)(np.arange(min(n, settings.batch_size)), settings.batch_size, 0.0)
        self.weights[...], self.bias[...] = (checkpoint.weights, checkpoint.bias) if checkpoint else (0, 0)
        self.epoch = prepare(*operands)
        next(orders(n, 0, settings.replacement))  # compiles
        self.visiting = orders(n, settings.seed, settings.replacement)
        visited = n - n % settings.batch_size if settings.drop_last else n
        points = list(checkpoint.points) if checkpoint else []
        self.history = History(problem.name, visited, settings, problem.floor, points)
        self.problem, self.settings, self.watch = problem, settings, watch
        self.turn, self.rate, self.seconds = 0, settings.rate, points[-1].seconds if points else 0.0
        self.done = points[-1].examples // visited if points else 0
        for _ in range(self.done):
            next(self.visiting)

    def run_epoch(self, turn: int, due: list[int]) -> None:
        """Train for one epoch, and evaluate after each number of examples that is due."""
        self.turn, self.rate = turn, SCHEDULES[self.settings.schedule](self.settings.rate, turn)
        begin, start = 0, time.perf_counter()
        order = next(self.visiting)
        for end in sorted({*due, self.history.n}):
            self.epoch(order[begin:end], self.settings.batch_size, self.rate)
            self.seconds += time.perf_counter() - start
            if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
                raise self.diverged("the weights are")
            if end in due:
                self.evaluate(turn * self.history.n + end)
            begin, start = end, time.perf_counter()

    def evaluate(self, examples: int) -> None:
        """Add to the history where training stands after so many examples."""
        problem = self.problem
        with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is told below
            found = loss(problem.objective, self.weights, self.bias, problem.x, problem.y)
        self.history.points.append(Point(self.seconds, examples, found))
        self.watch(self.history)
        if not math.isfinite(found):
            raise self.diverged("the loss is")

    def diverged(self, what: str) -> Diverged:
        """The error of this epoch, and what to do."""
        way = f"below {self.rate:g}" if self.rate > 0 else "above 0: this one climbs"
        return Diverged(f"diverged in epoch {self.turn + 1}: {what} no longer finite; try a learning rate {way}")


def train(
    problem: Problem,
    settings: Settings,
    watch: Callable[[History], None] = lambda history: None,
    evaluate_every: int | None = None,
    prepare: Prepare | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train from zero weights, or go on from a checkpoint as if there had been no end.

    Parameters
    ----------
    problem : Problem
    settings : Settings
    watch : callable
        Given the history after each evaluation; what it costs is not counted.
    evaluate_every : int, optional
        Examples between evaluations, each at the end of a batch; after each epoch, if left out. At the end there is always one.
    prepare : callable, optional
        A step in the place of the settings' own, as `minisgd.steps` describes one; its name is not kept.
    checkpoint : Checkpoint, optional
        Of the same problem and settings, but for the number of epochs.

    Returns
    -------
    History
        With the seconds of shuffling and training alone; compilation comes before. An epoch with evaluations in it is several
        calls of its step, each with its own cost: time epochs without.

    Raises
    ------
    UsageError
        If the settings make no sense, see `check`.
    Diverged
        If the loss or a weight becomes infinite or NaN.
    """
    check(settings, problem)
    training = _Training(problem, settings, prepare or steps.find(settings.step).function, watch, checkpoint)
    if not checkpoint:
        training.evaluate(0)
    n = training.history.n
    for turn in range(training.done, settings.epochs):
        due = evaluations(turn * n, n, settings.batch_size, evaluate_every or n)
        if turn + 1 == settings.epochs:
            due.append(n)
        training.run_epoch(turn, due)
    return training.history
