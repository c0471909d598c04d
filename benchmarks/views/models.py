"""What pictures fit to records or count for them: arithmetic intensity, and the overhead of starting an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness.records import Record
from benchmarks.harness.relations import rate
from kernels.cpu.tiles import ITEMSIZE
from kernels.flops import compulsory_bytes, touched_bytes


def intensity(record: Record, once: bool) -> float:
    """Flops a byte: each operand counted once, or as often as the rung reads it."""
    itemsize = ITEMSIZE[record.dtype]
    moved = (
        compulsory_bytes(**record.shape, itemsize=itemsize)
        if once
        else touched_bytes(record.rung, **record.shape, itemsize=itemsize, tile=record.tile)
    )
    return (record.flops or 0) / moved


def ranked(records: Sequence[Record]) -> tuple[int, int]:
    """Pairs of a backend's rungs on one shape, and in how many the rung of the higher intensity is the faster one."""
    pairs = [(x, y) for i, x in enumerate(records) for y in records[:i] if x.backend == y.backend and x.shape == y.shape]
    right = [(intensity(x, False) - intensity(y, False)) * (rate(x) - rate(y)) > 0 for x, y in pairs]
    return len(pairs), sum(right)


def starts(record: Record) -> int:
    """How often a rung starts its innermost operation."""
    m, p = record.shape["m"], record.shape["p"]
    width = (record.tile or {}).get("width", p)
    return {"elementwise": m * p, "rowwise": m, "columnwise": p, "block": -(-p // width)}.get(record.rung, 1)


@dataclass(frozen=True)
class Overhead:
    """A kernel's time as ``starts * start_s + flops * flop_s``.

    Parameters
    ----------
    start_s, flop_s : float
        Seconds a start and seconds a flop; neither is negative.
    share : float
        Of the time of the largest product, what its starts take.
    """

    start_s: float
    flop_s: float
    share: float


def overhead(records: Sequence[Record]) -> Overhead:
    """The model of a kernel, by least squares of relative errors over the sizes measured."""
    from scipy.optimize import nnls

    times = np.array([record.median_s or 1 for record in records])
    model = np.array([[starts(record), record.flops or 0] for record in records]) / times[:, None]
    scale = model.max(axis=0)
    found, _ = nnls(model / scale, np.ones(len(times)))
    start_s, flop_s = (float(each) for each in found / scale)
    largest = max(records, key=lambda each: each.flops or 0)
    return Overhead(start_s, flop_s, min(1.0, starts(largest) * start_s / (largest.median_s or 1)))
