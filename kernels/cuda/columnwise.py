"""A block for a part of a column of out, neighbouring threads in neighbouring rows: nothing coalesces.

The 32 elements of a that a warp reads lie in 32 rows, a sector of 32 bytes each: the same arithmetic as `rowwise`, 8 times its
bytes in float32, unless a cache holds what is left of a sector until the next turns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.cuda.dot import dot
from kernels.cuda.launch import Grid, rung
from kernels.cuda.primitives import cuda

THREADS = 256


def grid(m: int, p: int) -> Grid:
    """Blocks down a column; columns are the first index, of which there may be more."""
    return Grid((p, -(-m // THREADS)), (THREADS, 1))


@rung("columnwise", grid)
def columnwise(dtype: Any) -> Callable[[Any, Any, Any], None]:
    """Threads down a column of out, whose loads do not coalesce: the whole of a by a column of b."""

    def multiply(a: Any, b: Any, out: Any) -> None:
        i = cuda.blockIdx.y * THREADS + cuda.threadIdx.x
        j = cuda.blockIdx.x
        if i < out.shape[0]:
            out[i, j] = dot(a, b, i, j, dtype(0))

    return multiply
