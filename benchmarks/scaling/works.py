"""A sharded product made ready to be timed, and its check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat

import numpy as np

from benchmarks.harness.records import Case
from benchmarks.harness.workloads.gemm import Check
from benchmarks.scaling.team import Team
from kernels import accuracy, registry
from kernels.sharded import LAYOUTS, local


class ShardedProduct:
    """This rank's parts of operands that all ranks draw alike, and the product of all ranks together.

    Parameters
    ----------
    case : Case
        With a layout in its `ranks`.
    team : Team
    """

    def __init__(self, case: Case, team: Team) -> None:
        self._case, self._draw = case, np.random.default_rng(0)
        layout = LAYOUTS[case.ranks.layout] if case.ranks else None
        if layout is None or team.peers is None:
            raise ValueError(f"{case.title}: expected a case of several ranks")
        shape = case.shape["m"], case.shape["n"], case.shape["p"]
        self._product = layout(team.peers, local(case.kernel, case.dtype), shape, case.dtype)
        self._a, self._b = self._inputs()
        self._parts = self._product.a.of(self._a), self._product.b.of(self._b)
        self._out = self._product.out.of(np.empty((shape[0], shape[2]), case.dtype))

    def calls(self, count: int) -> Iterator[Callable[[], None]]:
        """So many products, on the same operands."""
        return repeat(partial(self._product, *self._parts, self._out), count)

    def check(self) -> Check:
        """New operands, and this rank's part of out, of which the reference needs its rows of a and its columns of b alone."""
        self._a, self._b = self._inputs()
        for part, block, whole in zip(self._parts, (self._product.a, self._product.b), (self._a, self._b), strict=True):
            part[...] = block.of(whole)
        self._out[...] = np.nan
        self._product(*self._parts, self._out)
        rows, columns = self._product.out
        error = accuracy.error(self._a[rows], self._b[:, columns], self._out)
        bound = registry.find(self._case.kernel).bound(self._case.shape["n"], self._case.dtype)
        failure = None if error <= bound else f"wrong result: error {error:.1e} exceeds the bound {bound:.1e}"
        return Check(error, bound, failure)

    def _inputs(self) -> tuple[np.ndarray, np.ndarray]:
        shape = self._case.shape
        drawn = np.float64 if self._case.dtype == "float64" else np.float32
        a, b = (self._draw.standard_normal((shape[rows], shape[columns]), drawn) for rows, columns in ("mn", "np"))
        return a, b
