"""The gate put to the test: the same commit on both sides, built twice, and the head with a known slowdown or none.

A slow head works on, after the calls of each turn, for so much of the time that they took. Every second round runs beside a
process that takes one processor half of the time.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from pydantic import ConfigDict, Field

from benchmarks.gate import grids, judging, sides
from benchmarks.harness.fields import Model
from benchmarks.harness.host import machine
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Case

SLOWDOWNS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)

HEADS = (0.0, 0.05, 0.0, 0.02, 0.0, 0.01, 0.0, 0.03, 0.0, 0.10, 0.0, 0.02)
"""Of a round: half are equal to the base, since false alarms are rare, and take the most comparisons to count."""

BENCHMARKS = (
    "numba/full-64-float32-x1", "numpy/full-64-float32-x1", "numba/block-64-float32-x1",
    "numba/columnwise-64-float32-x1", "numba/rowwise-64-float32-x1", "numba/tiled-64-float32-x1", "numpy/block-64-float32-x1",
    "numba-fused-1500x5x1-batch10-float32-x1", "numba-fused-1500x5x1-batch1500-float32-x1",
    "numba-gemm-1500x5x1-batch1500-float32-x1",
    "numpy-1500x5x1-batch1500-float32-x1", "numba-1500x5x1-batch1500-float32-x1",
)  # fmt: skip
"""Twelve, from 4 us a call to 80."""

Load = Literal["idle", "hog"]
"""What else the machine does: nothing, or a process that takes one processor half of the time."""

HOG_S = 0.05


class Comparison(Model):
    """A benchmark's data."""

    benchmark: str
    logs: list[float] = Field(description="log(head / base) of each block")
    failure: str | None = None


class Gated(Model):
    """A head that the gate was put to."""

    created: datetime
    commit: str
    machine: Machine
    seconds: float
    load: Load
    slowdown: float
    min_effect: float
    budget_s: float
    sides: int = Field(default=2, description="that took turns in a block; with more, each is further from the base")
    comparisons: list[Comparison]


class Elsewhere(Model):
    """What another tool said of a head."""

    tool: str
    created: datetime
    commit: str
    seconds: float
    load: Load
    slowdown: float
    benchmarks: list[str]
    slower: dict[str, list[str]] = Field(description="benchmarks, by the tool's rule")
    faster: dict[str, list[str]]


class Calibration(Model):
    """All so far."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    gates: list[Gated] = Field(default_factory=list)
    others: list[Elsewhere] = Field(default_factory=list)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


def measure(
    commit: str, patterns: Sequence[str], min_effect: float, load: Load, budget_s: float,
    advance: Callable[[float, int, Case], None] = lambda slowdown, undecided, case: None,
) -> Iterator[Gated]:  # fmt: skip
    """A round, head by head.

    Parameters
    ----------
    commit : str
        Both sides'.
    patterns : sequence of str
        Benchmarks.
    min_effect : float
    load : {"idle", "hog"}
    budget_s : float
        For each head.
    advance : callable
        Told, before each case is measured, the slowdown, and how many benchmarks are undecided.
    """
    with sides.prepared(commit, commit) as pair, beside(load):
        cases = [case for case in grids.of_suite(pair.base).cases if case.title in patterns]
        for slowdown in HEADS:
            trials, start = [judging.Trial(case) for case in cases], time.monotonic()
            judging.decide(
                trials, pair.base, replace(pair.head, extra=slowdown), min_effect, budget_s, random.Random(),
                partial(_tell, advance, slowdown, trials),
            )  # fmt: skip
            yield Gated(
                created=datetime.now(UTC), commit=pair.commits["base"], machine=machine.describe(), load=load,
                seconds=time.monotonic() - start, slowdown=slowdown, min_effect=min_effect, budget_s=budget_s,
                comparisons=[_comparison(trial) for trial in trials],
            )  # fmt: skip


def _tell(advance: Callable[[float, int, Case], None], slowdown: float, trials: Sequence[judging.Trial], case: Case) -> None:
    advance(slowdown, sum(trial.open for trial in trials), case)


def _comparison(trial: judging.Trial) -> Comparison:
    return Comparison(benchmark=trial.case.title, logs=[round(each, 6) for each in trial.logs], failure=trial.failure)


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
