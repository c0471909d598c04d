"""The workload `transfer`: a matrix copied between the host and a device, the price of a product whose operands are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from benchmarks.harness.devices import Device
from benchmarks.harness.machines import Ceilings
from benchmarks.harness.records import Case
from benchmarks.harness.workloads.gemm import Check


@dataclass(frozen=True)
class Way:
    """A direction, and whether the host's memory is pinned: out of the system's reach, so that the device reads it by itself."""

    rung: str
    to_device: bool
    pinned: bool
    backend: str = "copy"
    compiles: bool = False
    peer: bool = False

    @property
    def name(self) -> str:
        """As a kernel is called."""
        return f"{self.backend}/{self.rung}"


WAYS = {
    each.name: each
    for each in (
        Way("to-device", to_device=True, pinned=False),
        Way("to-device-pinned", to_device=True, pinned=True),
        Way("from-device", to_device=False, pinned=False),
        Way("from-device-pinned", to_device=False, pinned=True),
    )
}


class Transfer:
    """A matrix on either side, and the copy between them.

    Parameters
    ----------
    case : Case
        Its shape has m and n.
    device : Device
    seed : int
        Of the matrix.
    """

    find = staticmethod(WAYS.__getitem__)

    def __init__(self, case: Case, device: Device, seed: int = 0) -> None:
        import torch

        self._device, self._random = device, np.random.default_rng(seed)
        self._shape = case.shape["m"], case.shape["n"]
        self._way = self.find(case.kernel)
        there = device.place(self._matrix(), "torch")
        here = torch.from_numpy(self._matrix())
        if self._way.pinned:
            here = here.pin_memory()
        self._source: Any
        self._target: Any
        self._source, self._target = (here, there) if self._way.to_device else (there, here)
        self._call: Callable[[], Any] = partial(self._target.copy_, self._source, non_blocking=self._way.pinned)

    @staticmethod
    def costs(case: Case) -> dict[str, int]:
        """Bytes that cross over; nothing is computed."""
        return {"flops": 0, "bytes": case.shape["m"] * case.shape["n"] * np.dtype(case.dtype).itemsize}

    @staticmethod
    def limit_s(case: Case, ceilings: Ceilings) -> float | None:
        """None: the bus between the two is what is measured."""
        return None

    def calls(self, count: int) -> Iterator[Callable[[], None]]:
        """`count` copies over the same memory."""
        return repeat(self._call, count)

    def check(self) -> Check:
        """Copy another matrix, and compare every bit."""
        matrix = self._matrix()
        self._device.write(self._source, matrix)
        self._call()
        self._device.wait()
        wrong = int((self._device.fetch(self._target) != matrix).sum())
        return Check(float(wrong), 0.0, f"{wrong} of {matrix.size} elements did not arrive" if wrong else None)

    def _matrix(self) -> np.ndarray[Any, Any]:
        return self._random.standard_normal(self._shape, np.float32)
