"""The ladder inside `numba-cuda/full`: its stages in turns, and what each brings over the one before."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks.harness import cases, derived, timing
from benchmarks.harness.devices import device
from benchmarks.inside.turns import Way, alternate, gflops
from kernels import registry

KERNEL = "numba-cuda/full"


@dataclass(frozen=True)
class Stage:
    """A stage and what it adds."""

    name: str
    adds: str
    threads: int = 1


@dataclass(frozen=True)
class Measured:
    """GFLOPS of a stage: the median of its turns, and their quartiles; and percent of the FMA peak, if that was reached.

    Beside it the most percent that the machine code for Hopper allows, by what it issues and what it asks of shared memory.
    """

    stage: Stage
    gflops: float
    low: float
    high: float
    percent_of_peak: float | None
    percent_allowed: float


def measure(shape: Mapping[str, int], dtype: str, turns: int) -> list[Measured]:
    """Alternate the stages; runs in a worker, since the process that prints is to have no GPU of its own.

    Raises
    ------
    ValueError
        If the sizes are not multiples of the tiles, which the last stage asks for.
    """
    from kernels.cuda.full.stages import STAGES

    where, case = device("cuda"), cases.case(registry.find(KERNEL), shape, dtype, device="cuda")
    with timing.usable(where):
        seconds = alternate([Way(case, stage) for stage in STAGES], where, turns)
        limits = where.ceilings([1])
    found = []
    for stage, taken in zip(STAGES, seconds, strict=True):
        slow, _, fast = quantiles(taken, n=4)
        rate = gflops(case, taken)
        low, high = (gflops(case, [each]) for each in (fast, slow))
        share = derived.percent_of_peak(rate, limits.peak(dtype, 1))
        found.append(Measured(Stage(stage.name, stage.adds), rate, low, high, share, allowed(stage.name, dtype)))
    return found


def allowed(stage: str, dtype: str) -> float:
    """The most percent of the peak that a stage's machine code allows on Hopper; see budgets.toml."""
    from kernels import cuda

    budgets = tomllib.loads(Path(cuda.__file__).with_name("budgets.toml").read_text(encoding="utf-8"))
    return float(budgets[f"{stage} {dtype} sm_90"]["bound"])
