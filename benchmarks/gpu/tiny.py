"""Numba's kernels on tiny sizes, without torch: for compute-sanitizer, which takes minutes to watch torch load its kernels."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import UnknownKernel, registry
from kernels.accuracy import error

BACKEND = "numba-cuda"
SHAPES = ((1, 1, 1), (17, 5, 33), (128, 16, 128), (130, 24, 260))
"""Less than a tile, a tile, and a part of one beyond it."""

DTYPES = {"full": ("float32", "float64")}
"""Of a rung; float32 of the others, whose code is the same in both."""


class Matrix:
    """What a launch asks of a tensor, for an array in the GPU's memory."""

    device = None

    def __init__(self, host: NDArray[Any]) -> None:
        from numba import cuda

        self.held = cuda.to_device(host)
        self.shape, self.dtype = host.shape, host.dtype

    def data_ptr(self) -> int:
        """Where the elements are."""
        return int(self.held.__cuda_array_interface__["data"][0])

    def stride(self) -> tuple[int, ...]:
        """Steps, in elements."""
        return self.shape[1], 1


def without_torch() -> ModuleType:
    """In torch's place: the default stream of the one device."""
    made = ModuleType("torch")
    made.cuda = SimpleNamespace(  # type: ignore[attr-defined]
        current_stream=lambda device: SimpleNamespace(cuda_stream=0), device=lambda device: nullcontext()
    )
    return made


def wrong(kernel: registry.Kernel, shape: tuple[int, int, int], dtype: str) -> float:
    """How many times the bound the error of a product is; more than 1 is wrong."""
    m, n, p = shape
    random = np.random.default_rng(m)
    a, b = (random.standard_normal(each).astype(dtype) for each in ((m, n), (n, p)))
    out = Matrix(np.full((m, p), np.nan, dtype))
    kernel.bind(kernel.tile_for(dtype, "cuda"))(Matrix(a), Matrix(b), out)
    return error(a, b, out.held.copy_to_host()) / kernel.bound(n, dtype)


def main() -> int:
    """A line for each rung; 1 if a product is wrong."""
    sys.modules["torch"] = without_torch()
    failed = False
    for rung in registry.RUNGS:
        try:
            kernel = registry.find(f"{BACKEND}/{rung}")
        except UnknownKernel:
            continue
        for dtype in DTYPES.get(rung, ("float32",)):
            worst = max(wrong(kernel, shape, dtype) for shape in SHAPES)
            failed |= not worst <= 1
            print(f"{kernel.name} {dtype}: {100 * worst:.0f} % of the bound", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
