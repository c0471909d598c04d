"""A thread an element, as a first kernel has it: threads are numbered along the first index, so neighbours are in a column.

A warp is 16 rows by 2 columns. Its 32 elements of a lie in 16 rows, a sector of 32 bytes each, of which 4 or 8 bytes are used;
so are those of out. Every element is read from the caches again for each product that it is in: 2 loads a multiply-add.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.cuda.dot import dot
from kernels.cuda.launch import Grid, rung
from kernels.cuda.primitives import cuda

EDGE = 16


def grid(m: int, p: int) -> Grid:
    """Square blocks."""
    return Grid((-(-m // EDGE), -(-p // EDGE)), (EDGE, EDGE))


@rung("elementwise", grid)
def elementwise(dtype: Any) -> Callable[[Any, Any, Any], None]:
    """A thread an element, neighbours down a column: a row of a by a column of b."""

    def multiply(a: Any, b: Any, out: Any) -> None:
        i, j = cuda.grid(2)
        if i < out.shape[0] and j < out.shape[1]:
            out[i, j] = dot(a, b, i, j, dtype(0))

    return multiply
