"""Experiments: each answers a claim or an exercise of the chapter with a table, a picture and a sentence.

An experiment is a function of a problem and of ``advance``, which it tells what it does next; it returns a `Finding`.
The page imports experiments for their pictures alone, so they import what only measuring needs when they measure.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from minisgd.common.tables.description import Table
from minisgd.common.tables.to_json import from_json, to_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from minisgd.data import Problem

Advance = Callable[[str], None]


def spans(middles: Sequence[float], intervals: Sequence[Sequence[float]] | None) -> list[tuple[float, float, float]]:
    """Each middle with the ends of its interval; the middle alone for files from before intervals were kept.

    Examples
    --------
    >>> spans([1.0, 2.0], [(0.9, 1.2), (1.9, 2.3)])
    [(1.0, 0.9, 1.2), (2.0, 1.9, 2.3)]
    >>> spans([1.0], None)
    [(1.0, 1.0, 1.0)]
    """
    ends = intervals or [(middle, middle) for middle in middles]
    return [(middle, low, high) for middle, (low, high) in zip(middles, ends, strict=True)]


@dataclass
class Finding:
    """What an experiment found.

    Parameters
    ----------
    title : str
    headings : tuple of str
        Of the table's columns.
    rows : sequence of tuple of str
    sentences : list of str
        What the figures say, computed from them.
    figure : Figure
    data : dict
        The figures themselves, for programs.
    """

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    sentences: list[str]
    figure: Figure
    data: dict[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """All but the figure, for programs and for the page."""
        return {"table": to_json(self.table), "sentences": self.sentences} | self.data

    @property
    def table(self) -> Table:
        """The rows below their headings."""
        return from_json(self.title, self.headings, self.rows)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from minisgd.common.notebook import to_notebook  # here, since it takes jinja2, which training does without

        return to_notebook([self.figure], self.sentences, [self.table])


@dataclass(frozen=True)
class Experiment:
    """Where an experiment is, how many steps it announces, and what it asks."""

    module: str
    steps: int
    asks: str

    def run(self, problem: Problem, advance: Advance) -> Finding:
        """Import it and run it."""
        found: Finding = importlib.import_module(f"minisgd.experiments.{self.module}").run(problem, advance)
        return found


EXPERIMENTS = {
    "book": Experiment("book", 9, "gradient descent, SGD or minibatches, with the chapter's settings?"),
    "batch-size": Experiment("batch_size", 11, "which batch size reaches the floor first?"),
    "noise": Experiment("noise", 11, "does the gradient's noise fall with the root of the batch size?"),
    "variants": Experiment("variants", 9, "what do decay, replacement and doubled data change?"),
    "overhead": Experiment("overhead", 7, "what does a step cost before it computes anything?"),
}
