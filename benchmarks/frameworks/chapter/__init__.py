"""The textbook's own cells, timed as it times them: one shot each, nothing warmed, and 0.03 GFLOP where the product takes 0.0335.

Dive into Deep Learning, section 12.5, a module a tab: the calls, the data loader, the settings and the places where the clock is
started, stopped and forgotten are those of its cells. What they draw and print is left out. Two things are shorter, since they
took minutes: `elementwise` ends after `ROWS_S` seconds, and losses, for which the clock stands still, are reckoned at once rather
than batch by batch.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from minisgd.data import airfoil
from minisgd.published import RUNS, Printed

SIZE, WIDTH = 256, 64
GIGAFLOPS = 0.03
ROWS_S = 2.0
"""For rows of `elementwise`, whose every element takes as long: all 256 are a minute in TensorFlow, and two in MXNet."""

EVERY = 200
"""Examples between evaluations, if a batch ends there."""

RUNGS = ("elementwise", "columnwise", "full", "block")
"""In its order, all in one process."""


@dataclass
class Timer:
    """The textbook's: it runs from the start, and `stop` keeps what has passed."""

    times: list[float] = field(default_factory=list)
    begun: float = field(default_factory=time.time)

    def start(self) -> None:
        """Start anew."""
        self.begun = time.time()

    def stop(self) -> None:
        """Keep the seconds since."""
        self.times.append(time.time() - self.begun)


@dataclass
class Rows:
    """Numbers of the rows that `elementwise` does: all, or as many as `ROWS_S` allow; and how many that were."""

    done: int = 0

    def __iter__(self) -> Iterator[int]:
        """Each once it is wanted."""
        end = time.time() + ROWS_S
        while self.done < SIZE and time.time() < end:
            yield self.done
            self.done += 1


@dataclass(frozen=True)
class Training:
    """A model that is trained.

    Parameters
    ----------
    batches : iterable
        Of examples and targets, shuffled anew each epoch.
    step : callable
        Train on a batch.
    loss : callable
        The mean loss of all examples, with the factor 1/2.
    """

    batches: Iterable[tuple[Any, Any]]
    step: Callable[[Any, Any], None]
    loss: Callable[[], float]


CONCISE = {"PyTorch": (0.02, 4), "MXNet": (0.05, 2), "TensorFlow": (0.1, 2)}
"""Rate and epochs of the concise run. PyTorch's and TensorFlow's loss lacks the factor 1/2: their cells have half the rate."""

TABS = {"PyTorch": "pytorch", "MXNet": "mxnet_tab", "TensorFlow": "tensorflow_tab"}


def _module(tab: str) -> Any:
    return importlib.import_module(f"{__name__}.tabs.{TABS[tab]}")  # no package, or asv would import them


def products(tab: str) -> dict[str, tuple[float, float]]:
    """GFLOPS as the textbook reckons them, by rung, of a process that has done nothing else; and of the same cells run again."""
    first, again = (_shots(_module(tab).products) for _ in range(2))
    return {rung: (first[rung], again[rung]) for rung in RUNGS}


def _shots(cells: Callable[[Rows], Iterator[Callable[[], None]]]) -> dict[str, float]:
    """Each cell once."""
    timer, rows = Timer(), Rows()
    for cell in cells(rows):
        timer.start()
        cell()
        timer.stop()
    rates = dict(zip(RUNGS, (GIGAFLOPS / max(spent, 1e-9) for spent in timer.times), strict=True))
    return rates | {"elementwise": rates["elementwise"] * rows.done / SIZE}


def training(tab: str) -> dict[str, tuple[float, float, float]]:
    """Loss, seconds an epoch, and seconds that the batches of an epoch take with nothing done with them, by run."""
    problem = airfoil().astype("float32")
    return {printed.name: _trained(tab, printed, problem.x, problem.y[:, 0]) for printed in RUNS}


def settings(tab: str | None, printed: Printed) -> tuple[float, int]:
    """Rate and epochs of a run in a tab."""
    return CONCISE[tab] if tab and printed.name == "concise" else (printed.rate, printed.epochs)


def _trained(tab: str, printed: Printed, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, float, float]:
    """``train_ch11``: the clock stands still while it evaluates; what passes after the last evaluation is not counted."""
    module, (rate, epochs) = _module(tab), settings(tab, printed)
    made = (module.concise if printed.name == "concise" else module.linear)(x, y, printed.batch_size, rate)
    seen, loss, timer = 0, float("nan"), Timer()
    for _ in range(epochs):
        for batch in made.batches:
            made.step(*batch)
            seen += len(batch[0])
            if seen % EVERY == 0:
                timer.stop()
                loss = made.loss()
                timer.start()
    loading = Timer()
    for _ in made.batches:
        pass
    loading.stop()
    return loss, sum(timer.times) / epochs, loading.times[0]
