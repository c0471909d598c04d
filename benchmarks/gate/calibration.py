"""The gate put to the test: the same commit on both sides, built twice, and the head with a known slowdown or none.

A slow head works on, after the calls of each turn, for so much of the time that they took. The heads of a round share their
blocks, so each takes its turns further from the base's than in a gate, and scatters more. Every second round runs beside a
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
from typing import Literal

from pydantic import ConfigDict, Field

from benchmarks.gate import grids, judging, sides
from benchmarks.harness.fields import Model
from benchmarks.harness.host import machine
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Case

SLOWDOWNS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)

HEADS = (0.0, 0.01, 0.02, 0.02, 0.02, 0.03, 0.03, 0.03, 0.05)
"""Of a round: most where the curve is steep, at the changes that a gate is asked for."""

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
    advance: Callable[[int, Case], None] = lambda undecided, case: None,
    keep: Callable[[list[Gated]], None] = lambda gates: None,
) -> None:  # fmt: skip
    """A round: all heads against one base, in the same blocks.

    Parameters
    ----------
    commit : str
        Both sides'.
    patterns : sequence of str
        Benchmarks.
    min_effect : float
    load : {"idle", "hog"}
    budget_s : float
        For the round.
    advance : callable
        Told, before each case is measured, how many comparisons are undecided.
    keep : callable
        Given the round so far, after each block.
    """
    with sides.prepared(commit, commit) as pair, beside(load):
        cases = [case for case in grids.of_suite(pair.base).cases if case.title in patterns]
        heads = [replace(pair.head, name=f"head {place}", extra=slowdown) for place, slowdown in enumerate(HEADS)]
        tried = [(head, [judging.Trial(case) for case in cases]) for head in heads]
        start, here = time.monotonic(), machine.describe()

        def made() -> list[Gated]:
            return [
                Gated(
                    created=datetime.now(UTC), commit=pair.commits["base"], machine=here, load=load, slowdown=head.extra,
                    seconds=time.monotonic() - start, min_effect=min_effect, budget_s=budget_s, sides=1 + len(heads),
                    comparisons=[_comparison(trial) for trial in trials],
                )
                for head, trials in tried
            ]  # fmt: skip

        judging.decide(
            tried, pair.base, min_effect, budget_s, random.Random(),
            lambda case: advance(sum(trial.open for _, trials in tried for trial in trials), case), lambda: keep(made()),
        )  # fmt: skip


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
