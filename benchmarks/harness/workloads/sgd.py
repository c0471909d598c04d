"""The workload `sgd`: an epoch of minibatch SGD made ready to be timed, and its check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from benchmarks.harness.devices import Device
from benchmarks.harness.machines import Ceilings
from benchmarks.harness.records import Case
from benchmarks.harness.workloads import sgd_limit as limit
from benchmarks.harness.workloads.gemm import Check
from kernels.arrays import aligned_zeros
from minisgd import steps
from minisgd.accuracy import reference
from minisgd.orders import orders

OBJECTIVE = "squared"


class Epoch:
    """Standard normal data of the case's shape, and an implementation bound to it.

    Parameters
    ----------
    case : Case
        Its shape has n, d, k and batch; its kernel is a step.
    device : Device
        The CPU, for steps that take numpy arrays; or a GPU, for those that take tensors there.
    seed : int
        Of the data and of the visiting orders.
    """

    find = staticmethod(steps.find)

    def __init__(self, case: Case, device: Device, seed: int = 0) -> None:
        self._case, self._device = case, device
        n, d, k = (case.shape[name] for name in "ndk")
        self._orders, self._random = orders(n, seed), np.random.default_rng(seed)
        dtype = np.dtype(case.dtype).type
        self._x, self._y = (aligned_zeros((n, columns), dtype) for columns in (d, k))
        for array in (self._x, self._y):
            self._random.standard_normal(dtype=dtype, out=array)
        # The largest rate at which no step of any batch size can diverge, so that no epoch runs into infinities.
        self._rate = 1.0 / (1 + float(np.einsum("nd,nd->n", self._x, self._x).max()))
        self._data, library = [self._x, self._y], "numpy"
        if case.device != "cpu":
            library = "torch"
            self._data = [device.place(each, library) for each in self._data]
        self._model = [device.place(np.zeros(shape, case.dtype), library) for shape in ((d, k), (k,))]
        self._order = device.place(next(self._orders), library)
        (x, y), (weights, bias) = self._data, self._model
        epoch = steps.find(case.kernel).function(x, y, weights, bias, OBJECTIVE)
        self._call: Callable[[], Any] = partial(epoch, self._order, case.shape["batch"], self._rate)

    @staticmethod
    def costs(case: Case) -> dict[str, int]:
        """Flops, the bytes of one pass over data and order, and examples."""
        n, d, k, batch = (case.shape[name] for name in ("n", "d", "k", "batch"))
        return {"flops": steps.flops(n, d, k, batch), "bytes": limit.bytes_passed(case), "examples": n}

    @staticmethod
    def limit_s(case: Case, ceilings: Ceilings) -> float | None:
        """Seconds below which no epoch goes; None if an input was not measured. See `sgd_limit`."""
        bounds = limit.bounds(case, ceilings)
        return max(bounds.values()) if bounds else None

    def calls(self, count: int) -> Iterator[Callable[[], None]]:
        """`count` epochs, one after the other from wherever the last has left the weights."""
        return repeat(self._call, count)

    def check(self) -> Check:
        """A fresh order and random weights; one epoch, compared with the float64 trajectory."""
        x, y, batch, device = self._x, self._y, self._case.shape["batch"], self._device
        order = next(self._orders)
        before = [self._random.standard_normal(tuple(each.shape)).astype(x.dtype) for each in self._model]
        for placed, host in zip((self._order, *self._model), (order, *before), strict=True):
            device.write(placed, host)
        copies = x.copy(), y.copy()
        weights, bias, allowed = reference(x, y, before[0], before[1], OBJECTIVE, order, batch, self._rate, self._case.dtype)
        self._call()
        model = [device.fetch(each) for each in self._model]
        distance = float(np.linalg.norm(np.vstack([model[0] - weights, model[1] - bias])))
        if not all(np.array_equal(device.fetch(now), then) for now, then in zip(self._data, copies, strict=True)):
            return Check(distance, allowed, "changed its data")
        if not distance <= allowed:
            return Check(distance, allowed, f"left the trajectory: distance {distance:.1e} exceeds the bound {allowed:.1e}")
        return Check(distance, allowed, None)
