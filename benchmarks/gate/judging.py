"""Blocks until every benchmark has its verdict, or the time is up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from benchmarks.gate import paired
from benchmarks.gate.outcome import Row
from benchmarks.gate.verdict import Judgement, Verdict, judge
from benchmarks.harness.records import Case

SECONDS_A_BENCHMARK = 50
"""Default budget: ten minutes for twelve."""


@dataclass
class Trial:
    """A benchmark under judgement: its data so far, and what they say.

    Parameters
    ----------
    case : Case
    logs : list of float
        log(head / base), one a block.
    judgement : Judgement, optional
        None before the first block.
    failure : str, optional
        Why it could not be measured, and on which side.
    """

    case: Case
    logs: list[float] = field(default_factory=list)
    judgement: Judgement | None = None
    failure: str | None = None

    @property
    def verdict(self) -> Verdict:
        """What is known of it."""
        if self.failure:
            return Verdict.FAILED
        return self.judgement.verdict if self.judgement else Verdict.INCONCLUSIVE

    @property
    def open(self) -> bool:
        """Whether more blocks could change it."""
        return self.verdict is Verdict.INCONCLUSIVE


def decide(
    trials: Sequence[Trial],
    base: paired.Side,
    head: paired.Side,
    min_effect: float,
    budget_s: float,
    order: random.Random,
    advance: Callable[[Case], None] = lambda case: None,
) -> None:
    """Measure blocks of whatever is undecided until nothing is, or the next block would not fit the time left.

    Parameters
    ----------
    trials : sequence of Trial
        Filled in as blocks come in: what is known is there whenever this is interrupted.
    base, head : Side
    min_effect : float
    budget_s : float
        Seconds.
    order : random.Random
    advance : callable
        Told each case before it is measured.
    """
    deadline, took = time.monotonic() + budget_s, 0.0
    while undecided := [trial for trial in trials if trial.open]:
        begun = time.monotonic()
        if begun + took > deadline and took:
            return
        found = paired.block([base, head], [trial.case for trial in undecided], order, advance, deadline)
        for trial in undecided:
            if trial.case in found.failures:
                trial.failure = found.failures[trial.case]
                continue
            trial.logs.append(found.log_ratio(trial.case, head.name, base.name))
            trial.judgement = judge(trial.logs, min_effect)
        took = time.monotonic() - begun


def row(trial: Trial) -> Row:
    """A trial as it is kept."""
    found = trial.judgement
    return Row(
        case=trial.case, verdict=trial.verdict, ratio=found and found.ratio, low=found and _bound(found.low),
        high=found and _bound(found.high), blocks=found.blocks if found else 0, logs=trial.logs, failure=trial.failure,
    )  # fmt: skip


def _bound(value: float) -> float | None:
    return value if 0 < value < inf else None  # none before the first look
