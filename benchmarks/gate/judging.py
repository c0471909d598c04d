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
    untimed : str, optional
        Why there is nothing to measure.
    """

    case: Case
    logs: list[float] = field(default_factory=list)
    judgement: Judgement | None = None
    failure: str | None = None
    untimed: str | None = None

    @property
    def verdict(self) -> Verdict:
        """What is known of it."""
        if self.failure:
            return Verdict.FAILED
        if self.untimed:
            return Verdict.SAME
        return self.judgement.verdict if self.judgement else Verdict.INCONCLUSIVE

    @property
    def open(self) -> bool:
        """Whether more blocks could change it."""
        return self.verdict is Verdict.INCONCLUSIVE


def decide(
    heads: Sequence[tuple[paired.Side, Sequence[Trial]]],
    base: paired.Side,
    min_effect: float,
    budget_s: float,
    order: random.Random,
    advance: Callable[[Case], None] = lambda case: None,
    keep: Callable[[], None] = lambda: None,
) -> None:
    """Measure blocks of whatever is undecided until nothing is, or the next block would not fit the time left.

    Parameters
    ----------
    heads : sequence of (Side, sequence of Trial)
        One, or several that share their blocks. The trials fill as blocks come in: what is known is there whenever this is
        interrupted.
    base : Side
    min_effect : float
    budget_s : float
        Seconds.
    order : random.Random
    advance : callable
        Told each case before it is measured.
    keep : callable
        Called after each block.
    """
    deadline, took = time.monotonic() + budget_s, 0.0
    while undecided := list(dict.fromkeys(trial.case for _, trials in heads for trial in trials if trial.open)):
        begun = time.monotonic()
        if begun + took > deadline and took:
            return
        found = paired.block([base, *(head for head, _ in heads)], undecided, order, advance, deadline)
        for head, trials in heads:
            for trial in trials:
                if trial.open:
                    _add(trial, found, head.name, base.name, min_effect)
        keep()
        took = time.monotonic() - begun


def _add(trial: Trial, found: paired.Block, head: str, base: str, min_effect: float) -> None:
    """Enter what a block found of a trial."""
    if trial.case in found.failures:
        trial.failure = found.failures[trial.case]
        return
    trial.logs.append(found.log_ratio(trial.case, head, base))
    trial.judgement = judge(trial.logs, min_effect)


def row(trial: Trial) -> Row:
    """A trial as it is kept."""
    found = trial.judgement
    return Row(
        case=trial.case, verdict=trial.verdict, ratio=found and found.ratio, low=found and _bound(found.low),
        high=found and _bound(found.high), blocks=found.blocks if found else 0, logs=trial.logs, failure=trial.failure,
        untimed=trial.untimed,
    )  # fmt: skip


def _bound(value: float) -> float | None:
    return value if 0 < value < inf else None  # none before the first look
