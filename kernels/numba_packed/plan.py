"""What the loops are told of this CPU: a plan, at an address."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from kernels.numba_packed.memory import LINE, read
from kernels.numba_packed.tasks import COUNTERS_BYTES

ROW_PADDING = 64
"""Bytes between packed rows, so that they do not fall into the same cache sets."""


class Plan(NamedTuple):
    """All that the loops are told, as whole numbers.

    Parameters
    ----------
    tile, blocked, single : int
        Addresses of compiled functions: the microkernel, the loops around it, and those of a product with one column.
    rows, width : int
        Of the microkernel's tile.
    kc : int
        Depth of a slab.
    direct_bytes, rows_to_pack_for, scattered_bytes, strip : int
        Crossovers, as in `gemm`.
    own_bytes, block_bytes : int
        Workspace of each thread (a sliver of a and a tile of c), and of all together (a block of b).
    """

    tile: int
    blocked: int
    single: int
    rows: int
    width: int
    kc: int
    direct_bytes: int
    rows_to_pack_for: int
    scattered_bytes: int
    strip: int
    own_bytes: int
    block_bytes: int

    def workspace_bytes(self, threads: int) -> int:
        """Bytes that so many threads need."""
        return COUNTERS_BYTES + self.block_bytes + threads * self.own_bytes


TILE, BLOCKED, SINGLE, ROWS, WIDTH, KC, DIRECT_BYTES, ROWS_TO_PACK_FOR, SCATTERED_BYTES, STRIP, OWN_BYTES, BLOCK_BYTES = range(
    len(Plan._fields)
)


def own_bytes(rows: int, width: int, depth: int, size: int) -> int:
    """Workspace of a thread: so many rows of a, and a tile of c; to a multiple of a cache line."""
    return -(-(rows * (depth * size + ROW_PADDING) + rows * width * size) // LINE) * LINE


@njit
def entry(plan: int, place: int) -> int:
    """An entry of the plan at an address."""
    return read(plan + 8 * place, np.int64(0))


@njit
def pieces(whole: int, most: int) -> int:
    """The fewest equal pieces of at most `most`."""
    return max(1, -(-whole // most))
