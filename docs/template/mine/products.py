"""The kernels of the backend `mine`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import kernel

Matrix = NDArray[Any]


@kernel("mine", "block", threads=True, tile={"width": 64})
def block(a: Matrix, b: Matrix, out: Matrix, width: int) -> None:
    """A slab of `width` columns at a time, which is in cache while all rows of a meet it."""
    for start in range(0, b.shape[1], width):
        slab = slice(start, start + width)
        np.matmul(a, b[:, slab], out=out[:, slab])
