"""The loops of `numba/full` in plain Python, to be read: one thread, and every block packed.

BLIS counts five loops around its microkernel. Here they are four: a is not packed, so that no loop goes over blocks of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]


class Sizes(NamedTuple):
    """Rows and columns of a microtile, depth of a kc panel, columns of a block, and the k chunk."""

    nr: int
    mr: int
    kc: int
    mc: int
    chunk: int


def blocked(a: Matrix, b: Matrix, c: Matrix, alpha: float, beta: float, sizes: Sizes) -> None:
    """Make c = alpha a b + beta c, with a (m, n), b (n, p) and c (m, p), of any size but none.

    Assumes
    -------
    - mc is a multiple of mr.
    - c overlaps neither a nor b.
    """
    nr, mr, kc, mc, chunk = sizes
    (m, n), p = a.shape, b.shape[1]
    for k in range(0, n, kc):  # a kc panel of b
        scale = beta if k == 0 else 1.0  # later panels add to what the first has made
        for j in range(0, p, mc):  # a block of it: packed, in L2 or L3
            micropanels = pack(b[k : k + kc, j : j + mc], mr)
            for i in range(0, m, nr):  # a micropanel of a: in L1
                rows = a[i : i + nr, k : k + kc]
                for micropanel in range(len(micropanels)):  # a micropanel of b: comes from the block
                    first = j + micropanel * mr
                    tile = c[i : i + nr, first : min(first + mr, j + mc)]
                    microkernel(rows, micropanels[micropanel], tile, alpha, scale, chunk)


def pack(block: Matrix, mr: int) -> Matrix:
    """Copy a block, (kc, mc), into micropanels, (mc / mr, kc, mr): what the microkernel reads is contiguous.

    Examples
    --------
    >>> pack(np.arange(8.0).reshape(2, 4), 2)
    array([[[0., 1.],
            [4., 5.]],
    <BLANKLINE>
           [[2., 3.],
            [6., 7.]]])
    """
    depth, columns = block.shape
    micropanels = np.zeros((-(-columns // mr), depth, mr), block.dtype)  # what is beyond the last column is not used
    for j in range(columns):
        micropanels[j // mr, :, j % mr] = block[:, j]
    return micropanels


def microkernel(a: Matrix, b: Matrix, c: Matrix, alpha: float, beta: float, chunk: int) -> None:
    """Make c = alpha a b + beta c for a microtile: its sums stay in registers for a k chunk, and are then added to c."""
    (rows, depth), columns = a.shape, c.shape[1]
    for start in range(0, depth, chunk):
        sums = np.zeros((rows, columns), c.dtype)
        for k in range(start, min(start + chunk, depth)):
            sums += a[:, k, None] * b[k, :columns]  # each element of a by a vector of b
        scale = beta if start == 0 else 1.0
        c[...] = alpha * sums + (scale * c if scale != 0 else 0)
