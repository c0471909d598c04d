"""What a scaling run measures: one process, and every number of ranks on the same work and on as much work a rank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.harness import cases
from benchmarks.harness.host.threads import CORES
from benchmarks.harness.records import Case, Ranks
from benchmarks.scaling.team import STEP
from kernels import registry
from kernels.sharded import LAYOUTS
from minisgd.common.cli import UsageError

SIZES = ("1024",)
"""Of the product."""

EPOCHS = {
    "60000x5x1": (300, 1500, 7500, 60000),
    "1500x1000x1": (50, 150, 500, 1500),
    "72x20000x1": (6, 12, 24, 72),
}
"""Shapes of the data and batch sizes: few weights as the chapter has, many, and so many that their bytes tell.

Of the four sizes the model is fitted to three and predicts the other.

The data take up to 6 MB, which a shared cache holds: ranks that wait for the same memory are no faster than one.
"""

WATCHED = {"m": 512, "n": 512, "p": 512}
"""A product that two threads do twice as fast as one, where they get two cores."""

KERNEL, ALONE = "numba/full", "numba-fused"


def batches(text: str) -> list[int]:
    """Batch sizes of a shape that has none of its own: a fortieth of the examples, an eighth, and all."""
    n = cases.parse_size(text)["m"]
    return sorted({max(1, n // 40), max(1, n // 8), n})


def check_ranks(ranks: Sequence[int], threads: int) -> None:
    """Refuse more threads in all than cores, and a choice that has nothing to compare.

    Raises
    ------
    UsageError
    """
    if threads > CORES:
        raise UsageError(f"--threads {threads}: expected 1 to {CORES}, for the {CORES} cores there are")
    for count in ranks:
        if count < 1 or count * threads > CORES:
            most = CORES // threads
            raise UsageError(
                f"--ranks {count}: with {threads} thread(s) each, expected 1 to {most}, for the {CORES} cores there are"
            )
    if 1 not in ranks or len(ranks) < 2:
        raise UsageError(f"--ranks {','.join(map(str, ranks))}: expected 1 and more, such as 1,2: scaling is against one")


def products(
    sizes: Sequence[str], ranks: Sequence[int], threads: int, transports: Sequence[str], kernel: str, dtype: str
) -> list[Case]:
    """Cases of the product: on one rank, on threads in its place, and in every layout; weak scaling has R times the columns.

    Raises
    ------
    UsageError
        If there is no such kernel on the CPU, or it does not take the dtype.
    """
    entry, *more = cases.select([kernel])
    if more or dtype not in entry.dtypes:
        raise UsageError(f"--kernel {kernel}: expected one kernel that multiplies {dtype}; see python -m benchmarks list")
    several = [count for count in ranks if count > 1]
    found = []
    for shape in map(cases.parse_size, sizes):
        found += [cases.case(entry, shape, dtype, threads=count * threads) for count in ranks]
        for count in several:
            for wide in (shape, shape | {"p": count * shape["p"]}):
                found += [
                    cases.case(entry, wide, dtype, threads=threads).model_copy(update={"ranks": by})
                    for by in _by(count, transports, LAYOUTS)
                ]
    return _each_once([*found, *_watched()])


def epochs(
    shapes: Mapping[str, Sequence[int]], ranks: Sequence[int], threads: int, transports: Sequence[str], dtype: str
) -> list[Case]:
    """Cases of SGD: an epoch on one rank and on several; weak scaling has an R-th of examples and batch on the one.

    Raises
    ------
    UsageError
        If a batch size is not from 1 to the number of examples.
    """
    found = []
    for text, batches in shapes.items():
        n, d, k = cases.parse_size(text).values()
        for batch in batches:
            if not 1 <= batch <= n:
                raise UsageError(f"--batch-size {batch}: expected 1 to {n}, the number of examples of {text}")
            for count in ranks:
                if n % count == batch % count == 0:
                    found.append(_epoch(ALONE, {"n": n // count, "d": d, "k": k, "batch": batch // count}, threads, dtype))
                for by in _by(count, transports, [""]) if count > 1 else []:
                    found.append(_epoch(STEP, {"n": n, "d": d, "k": k, "batch": batch}, threads, dtype, by))
    return _each_once([*found, *_watched()])


def _epoch(step: str, shape: dict[str, int], threads: int, dtype: str, ranks: Ranks | None = None) -> Case:
    named: dict[str, Any] = {"kernel": step, "rung": "step", "backend": "numba"}
    return Case(workload="sgd", dtype=dtype, shape=shape, threads=threads, ranks=ranks, **named)


def _by(count: int, transports: Sequence[str], layouts: Sequence[str] | Mapping[str, Any]) -> Iterator[Ranks]:
    for transport in transports:
        for layout in layouts:
            yield Ranks.model_validate({"count": count, "transport": transport, "layout": layout})


def _watched() -> list[Case]:
    """What tells whether two threads get two cores."""
    return [cases.case(registry.find(KERNEL), WATCHED, "float32", threads=count) for count in (1, 2)]


def _each_once(found: Sequence[Case]) -> list[Case]:
    return list({case.title: case for case in found}.values())
