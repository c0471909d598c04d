"""The gate put to the test: the same commit on both sides, and on some a known slowdown, judged by the gate's own code.

A round has one base and several heads, all of the same commit, built twice. Each head but the first works on, after the calls of
each turn, for so much of the time that they took. All take turns in the same blocks, and each head is judged against the base as
if the two were alone. Every second round runs beside a process that takes one processor half of the time.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from math import sqrt
from typing import Literal

from pydantic import ConfigDict, Field

from benchmarks.gate import choosing, judging, paired, sides
from benchmarks.gate.outcome import Row
from benchmarks.gate.verdict import judge
from benchmarks.harness import machine
from benchmarks.harness.records import Case, Machine, Model

SLOWDOWNS = (0.0, 0.02, 0.03, 0.05, 0.10)

BENCHMARKS = (
    "numba/full-64-float32-x1", "numpy/full-64-float32-x1", "numba/block-64-float32-x1",
    "numba/columnwise-64-float32-x1", "numba/rowwise-64-float32-x1", "numba/tiled-64-float32-x1", "numpy/block-64-float32-x1",
    "numba-fused-1500x5x1-batch10-float32-x1", "numba-fused-1500x5x1-batch1500-float32-x1",
    "numba-gemm-1500x5x1-batch1500-float32-x1",
    "numpy-1500x5x1-batch1500-float32-x1", "numba-1500x5x1-batch1500-float32-x1",
)  # fmt: skip
"""Twelve, from 4 us a call to 80."""

BUDGET_S = 600.0
"""Of the gate that is imitated, with two sides; a round has six, and takes three times as long at most."""

HOG_S = 0.05


class Comparison(Model):
    """A head of a round, on one benchmark."""

    slowdown: float
    row: Row


class Round(Model):
    """All comparisons of one round."""

    created: datetime
    commit: str
    min_effect: float
    budget_s: float
    seconds: float
    load: Literal["idle", "hog"]
    machine: Machine
    comparisons: list[Comparison]


class Calibration(Model):
    """All rounds so far."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    rounds: list[Round] = Field(default_factory=list)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


def measure(
    commit: str,
    patterns: Sequence[str],
    min_effect: float,
    load: Literal["idle", "hog"],
    budget_s: float = BUDGET_S,
    advance: Callable[[Case, int], None] = lambda case, undecided: None,
) -> Round:
    """One round.

    Parameters
    ----------
    commit : str
        Both sides'.
    patterns : sequence of str
        Benchmarks.
    min_effect : float
    load : {"idle", "hog"}
        What else this machine does meanwhile.
    budget_s : float
    advance : callable
        Told each case before it is measured, and how many comparisons are undecided.
    """
    with sides.prepared(commit, commit) as pair, beside(load):
        heads = [replace(pair.head, name=f"+{100 * extra:g} %", extra=extra) for extra in SLOWDOWNS]
        cases = [case for case in choosing.grid(pair.base) if case.title in patterns]
        trials = {(head.name, case): judging.Trial(case) for head in heads for case in cases}
        order, start, took = random.Random(), time.monotonic(), 0.0
        limit_s = budget_s * (1 + len(heads)) / 2
        while time.monotonic() - start + took < limit_s:
            undecided = [case for case in cases if any(trials[head.name, case].open for head in heads)]
            if not undecided:
                break
            begun = time.monotonic()
            block = paired.block(
                [pair.base, *heads], undecided, order,
                lambda case: advance(case, sum(trial.open for trial in trials.values())),
            )  # fmt: skip
            for (name, case), trial in trials.items():
                if case in block.failures:
                    trial.failure = block.failures[case]
                elif case in block.seconds and trial.open:
                    trial.logs.append(block.log_ratio(case, name, pair.base.name))
                    trial.judgement = judge(trial.logs, min_effect)
            took = time.monotonic() - begun
        slowdowns = dict(zip((head.name for head in heads), SLOWDOWNS, strict=True))
        found = [Comparison(slowdown=slowdowns[name], row=judging.row(trial)) for (name, _), trial in trials.items()]
        return Round(
            created=datetime.now(UTC), commit=pair.commits["base"], min_effect=min_effect, budget_s=budget_s,
            seconds=time.monotonic() - start, load=load, machine=machine.describe(), comparisons=found,
        )  # fmt: skip


@contextmanager
def beside(load: str) -> Iterator[None]:
    """Run a process that takes a processor half of the time, or none."""
    if load == "idle":
        yield
        return
    hog = multiprocessing.get_context("spawn").Process(target=_hog, daemon=True)
    hog.start()
    try:
        yield
    finally:
        hog.kill()
        hog.join()


def _hog() -> None:
    while True:
        end = time.perf_counter() + HOG_S
        while time.perf_counter() < end:
            pass
        time.sleep(HOG_S)


def wilson(found: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """A 95 % interval of a share.

    Examples
    --------
    >>> [round(each, 3) for each in wilson(0, 300)]
    [0.0, 0.013]

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not of:
        return 0.0, 1.0
    share, weight = found / of, z * z / of
    middle, reach = share + weight / 2, z * sqrt(share * (1 - share) / of + weight / (4 * of))
    return max(0.0, (middle - reach) / (1 + weight)), min(1.0, (middle + reach) / (1 + weight))
