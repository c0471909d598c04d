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
from benchmarks.harness.machines import Ceilings
from benchmarks.harness.records import Case
from kernels import accuracy, arrays, flops, registry
from kernels.dtypes import rounded, stored

Function = Callable[[Any, Any, Any], Any]

COLD_POOL = 2
"""Cold operands rotate through a pool of this many times the outermost cache, so that each call finds its own evicted."""

CHECKED_FLOPS = 1 << 35
"""Of the reference, in float64 on the host: every row of a product up to 2,048 square, every 64th at 8,192, where all rows would
take minutes."""

SPARE_COLUMNS = 37
"""Of the wider arrays that strided operands are views of: rows then begin anywhere in a cache line."""


LATE, LATE_S = 0.5, 50e-6
"""Share of a call, and seconds: a result was not there yet if to fetch it at once takes longer by both than to fetch it again."""

TRIES = 5
"""Products until a late result is a failure: the system does not take the processor away at so many fetches in a row."""


@dataclass(frozen=True)
class Check:
    """How far a result was from the reference, how far it might be, and what is wrong with it, if anything.

    `waited` tells that its library works on after a call, and was waited for.
    """

    error: float
    bound: float
    failure: str | None
    waited: bool = False


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
        self._wait = arrays.LIBRARIES[kernel.arrays].wait
        bound = function or kernel.bind(case.tile or kernel.tile_for(case.dtype, case.device))
        self._function = until_there(bound, self._wait)
        self._bound = [partial(self._function, *operands) for operands in self._placed]
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
        before = self._a, self._b
        self._a, self._b = self._inputs()
        poison = np.full((self._case.shape["m"], self._case.shape["p"]), np.nan, stored(self._case.dtype).host)
        written = zip(self._placed[0], (self._a, self._b, poison), strict=True)
        self._placed[0] = tuple(self._device.write(placed, host) for placed, host in written)
        c, late = self._result()
        for _ in range(TRIES - 1 if late else 0):
            late = late and self._result()[1]
        self._rows = sampled(**self._case.shape, random=self._random)
        error = self._error(self._a, self._b, c)
        bound = registry.find(self._case.kernel).bound(self._case.shape["n"], self._case.dtype)
        failure = self._failure(before, c, error, bound) or late
        return Check(error, bound, failure, waited=self._wait is not None)

    def _result(self) -> tuple[NDArray[Any], str | None]:
        """What a call made, fetched as soon as the clock has stopped; and the complaint, if it was still being made then."""
        returned, took = self._timed(partial(self._function, *self._placed[0]))
        fetch = partial(self._device.fetch, self._placed[0][2] if returned is None else returned)
        (c, first), (_, second) = self._timed(fetch), self._timed(fetch)
        if first - second <= max(LATE * took, LATE_S):
            return c, None
        return c, f"not waited for: {took:.1e} s a call, {first:.1e} s more until the result is there, {second:.1e} s to fetch it"

    def _timed(self, call: Callable[[], Any]) -> tuple[Any, float]:
        """What a call returns, and its seconds by the device's clock."""
        kept: list[Any] = []
        took = self._device.seconds([lambda: kept.append(call())])
        return kept[0], took

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


def until_there(function: Callable[..., Any], wait: Callable[[Any], Any] | None) -> Callable[..., Any]:
    """A kernel that is over when its result is there: the function itself, where its library works on after no call."""
    if wait is None:
        return function

    def waited(a: Any, b: Any, out: Any) -> Any:
        returned = function(a, b, out)
        wait(out if returned is None else returned)
        return returned

    return waited


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
