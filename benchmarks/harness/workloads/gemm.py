"""The workload `gemm`: a matrix product made ready to be timed, and the check that makes its time count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.devices import Device
from benchmarks.harness.records import Case, Ceilings
from kernels import accuracy, flops, registry
from kernels.dtypes import rounded, stored

Function = Callable[[Any, Any, Any], None]

COLD_POOL = 2
"""Cold operands rotate through a pool of this many times the outermost cache, so that each call finds its own evicted."""

CHECKED_FLOPS = 1 << 35
"""Of the reference, in float64 on the host: every row of a product up to 2,048 square, every 64th at 8,192. All were minutes."""

SPARE_COLUMNS = 37
"""Of the wider arrays that strided operands are views of: rows then begin anywhere in a cache line."""


@dataclass(frozen=True)
class Check:
    """How far a result was from the reference, how far it might be, and what is wrong with it, if anything."""

    error: float
    bound: float
    failure: str | None


class Product:
    """Operands on the device, and the kernel bound to them.

    Parameters
    ----------
    case : Case
        Its shape has m, n and p.
    device : Device
    seed : int
        Of the random operands; standard normal, never zeros.
    function : callable, optional
        What is timed and checked in the kernel's place.
    """

    find = staticmethod(registry.find)

    def __init__(self, case: Case, device: Device, seed: int = 0, function: Function | None = None) -> None:
        self._case, self._device = case, device
        self._random = np.random.default_rng(seed)
        kernel = registry.find(case.kernel)
        copies = 1
        if case.cache == "cold":
            copies += COLD_POOL * device.cache_bytes // max(1, _bytes(case))
        self._a, self._b = self._inputs()
        out = np.full((case.shape["m"], case.shape["p"]), np.nan, stored(case.dtype).host)
        laid = {"strided": "ss"}.get(case.layout, case.layout) + "n"
        self._placed = [
            tuple(_placed(*each, device, kernel.arrays, case.dtype) for each in zip((self._a, self._b, out), laid, strict=True))
            for _ in range(copies)
        ]
        function = function or kernel.bind(case.tile or kernel.tile_for(case.dtype, case.device))
        self._bound = [partial(function, *operands) for operands in self._placed]
        self._next = cycle(self._bound)

    @staticmethod
    def costs(case: Case) -> dict[str, int]:
        """Flops and compulsory bytes."""
        return {"flops": flops.flops(**case.shape), "bytes": _bytes(case)}

    @staticmethod
    def limit_s(case: Case, ceilings: Ceilings) -> float | None:
        """None: a product is held against the FMA peak itself."""
        return None

    def calls(self, count: int) -> Iterator[Callable[[], None]]:
        """What is timed: `count` calls on the same operands (warm), or each on the next of the pool (cold)."""
        return islice(self._next, count) if len(self._bound) > 1 else repeat(self._bound[0], count)

    def check(self) -> Check:
        """Put new inputs where the old ones were, poison `out`, call once, and compare.

        After the timing this catches a row left unwritten, wrong numbers, an input changed, a result kept from an
        earlier call, and work that is not done when the call returns. Of a large product some rows are compared (see `sampled`).
        """
        a, b, out = self._placed[0]
        before = self._a, self._b
        self._a, self._b = self._inputs()
        self._device.write(a, self._a)
        self._device.write(b, self._b)
        self._device.write(out, np.full(tuple(out.shape), np.nan, stored(self._case.dtype).host))
        self._bound[0]()
        c = self._device.fetch(out)
        self._rows = sampled(**self._case.shape, random=self._random)
        error = self._error(self._a, self._b, c)
        bound = registry.find(self._case.kernel).bound(self._case.shape["n"], self._case.dtype)
        return Check(error, bound, self._failure(before, c, error, bound))

    def _failure(self, before: tuple[NDArray[Any], ...], c: NDArray[Any], error: float, bound: float) -> str | None:
        for name, host, placed in zip("ab", (self._a, self._b), self._placed[0], strict=False):
            if not np.array_equal(host, self._device.fetch(placed)):
                return f"changed its input {name}"
        if error <= bound:
            return None
        if unwritten := int(np.isnan(c).sum()):
            i, j = np.argwhere(np.isnan(c))[0]
            return f"left {unwritten} of {c.size} elements of out unwritten, the first at ({i}, {j})"
        if self._error(before[0], before[1], c) <= bound:
            return "returned the product of earlier inputs: it keeps its result between calls"
        return f"wrong result: error {error:.1e} exceeds the bound {bound:.1e}"

    def _error(self, a: NDArray[Any], b: NDArray[Any], c: NDArray[Any]) -> float:
        """That of the sampled rows; infinite if any element at all is not finite."""
        return accuracy.error(a[self._rows], b, c[self._rows]) if np.isfinite(c).all() else float("inf")

    def _inputs(self) -> tuple[NDArray[Any], NDArray[Any]]:
        shape, dtype = self._case.shape, self._case.dtype
        drawn = np.float64 if dtype == "float64" else np.float32
        a, b = (self._random.standard_normal((shape[rows], shape[columns]), drawn) for rows, columns in ("mn", "np"))
        return rounded(a, dtype), rounded(b, dtype)


def sampled(m: int, n: int, p: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Rows to compare: all, or as many as `CHECKED_FLOPS` pay for, the first and the last among them.

    One is drawn from each stripe of rows. So whatever is wrong in as many rows on end as two stripes have, a tile say, is seen,
    and what is wrong in fewer is seen in one round or another.
    """
    count = max(1, CHECKED_FLOPS // max(1, 4 * n * p))  # the product, and that of the absolute values
    if count >= m:
        return np.arange(m)
    edges = np.linspace(0, m, count + 1).astype(np.intp)
    return np.unique([0, *random.integers(edges[:-1], edges[1:]), m - 1])


def _placed(host: NDArray[Any], laid: str, device: Device, library: str, dtype: str) -> Any:
    """An array on the device; or a view of its transpose ("t"), or of a wider one ("s"), that is equal to it."""
    if laid == "t":
        return device.place(np.ascontiguousarray(host.T), library, dtype).T
    if laid == "s":
        return device.place(np.pad(host, ((0, 0), (0, SPARE_COLUMNS))), library, dtype)[:, : host.shape[1]]
    return device.place(host, library, dtype)


def _bytes(case: Case) -> int:
    return flops.compulsory_bytes(**case.shape, itemsize=stored(case.dtype).itemsize)
