"""A block for a part of a row of out, neighbouring threads in neighbouring columns: their loads of b coalesce.

What a warp reads of a row of b is in one piece, 4 sectors of float32 that are used whole, and all read the same element of a.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.cuda.dot import dot
from kernels.cuda.launch import Grid, rung
from kernels.cuda.primitives import cuda

THREADS = 256


def grid(m: int, p: int) -> Grid:
    """Blocks along a row; rows are the first index, of which there may be more."""
    return Grid((m, -(-p // THREADS)), (THREADS, 1))


@rung("rowwise", grid)
def rowwise(dtype: Any) -> Callable[[Any, Any, Any], None]:
    """Threads along a row of out, whose loads of b coalesce: a row of a by the whole of b."""

    def multiply(a: Any, b: Any, out: Any) -> None:
        i = cuda.blockIdx.x
        j = cuda.blockIdx.y * THREADS + cuda.threadIdx.x
        if j < out.shape[1]:
            out[i, j] = dot(a, b, i, j, dtype(0))

    return multiply
