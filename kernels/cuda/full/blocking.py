"""What a block and a thread of `full` have of the product, and why so much.

    a warp's threads       a thread's elements of out
    4 rows by 8            `high` rows, 4 apart; `wide` columns, in vectors that are 8 vectors apart

So a warp reads vectors of b in one piece, and the same vector of a for 8 threads: no bank of shared memory is asked twice.
A thread loads (high + wide) elements for high x wide multiply-adds, and has high x wide sums of its 255 registers.
"""

from __future__ import annotations

from typing import NamedTuple

from kernels.cuda.launch import Grid
from kernels.cuda.primitives import VECTOR_BYTES
from kernels.dtypes import stored

WARP_ROWS, WARP_COLUMNS = 4, 8
"""Threads of a warp, down and across its part of out."""


class Blocking(NamedTuple):
    """Elements of out of a block (rows x columns) and of a thread (high x wide), and how deep the tiles in shared memory are."""

    rows: int
    columns: int
    depth: int
    high: int
    wide: int

    @property
    def threads(self) -> int:
        """Of a block."""
        return (self.rows // self.high) * (self.columns // self.wide)

    def grid(self, m: int, p: int) -> Grid:
        """Blocks along a row of out first, as those share a band of a."""
        return Grid((-(-p // self.columns), -(-m // self.rows)), (self.threads, 1))


class Ideas(NamedTuple):
    """What a stage does: copies of so many elements, unrolled or not, asynchronous or not, guarded or not."""

    copied: int
    unroll: bool = True
    asynchronous: bool = True
    guarded: bool = True


BLOCKINGS = {"float32": Blocking(128, 256, 8, 8, 16), "float64": Blocking(128, 128, 8, 8, 8)}
"""Half of the registers of a multiprocessor are sums, with one block on it: 128 of each of 256 threads' 255."""


def lanes(dtype: str) -> int:
    """Elements of a vector.

    Examples
    --------
    >>> lanes("float32"), lanes("float64")
    (4, 2)
    """
    return VECTOR_BYTES // stored(dtype).itemsize
