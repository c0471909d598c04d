"""What is chosen for this CPU: the sizes of blocks, and the crossovers between one way and another.

``python -m benchmarks tune --kernel numba/full`` measures the crossovers. Where a choice differs from CPU to CPU, it goes by how
many bytes of b the microkernel takes a cycle, which a cache must bring: 11 with AVX2 or Zen 4's AVX-512, 21 with Intel's.
"""

from __future__ import annotations

from typing import NamedTuple

from kernels.cpu.caches import caches
from kernels.cpu.tiles import ITEMSIZE, block_tiling, near_block
from kernels.cpu.vectors import vectors
from kernels.jit.emit import LINE

ELEMENT = 4
"""Multiply-adds that take as long as fetching an element of an operand, which is most of a product of one row or column."""

SERIAL = 600_000
"""Multiply-adds up to which one thread makes a product. A second one brings little, even awake: to start and to join takes some
microseconds."""

DIRECT_BYTES = 128 << 10
"""Bytes of b up to which it is read where it lies, unless it straddles cache lines: packing would cost more than the pages and
cache sets that it saves."""

ROWS_TO_PACK_FOR = 16
"""Rows of a from which a scattered b is packed: with fewer, the packed b would not be read often enough. A b that only straddles
is packed from twice as many."""

STRIP = 16
"""Rows of a scattered b that is not packed which are read at a time: memory is fast along rows."""

SCATTERED_BYTES = 2048
"""Bytes between rows of b from which it is scattered: its rows share few cache sets, and soon each is on a page of its own."""

LONG_ROW_BYTES = 1024
"""Bytes between rows of b from which a product of one row sums them, several at once. Where they are closer, it goes down b's
columns, as many at a time as a microtile has."""

FEW_VECTORS = 4
"""The most columns that are made as dot products, in vectors: with more, few of a microtile's lanes are empty."""

FEW_FROM_MEMORY = 4
"""The most columns that are made as dot products if a comes from memory: it serves eight rows at once, as microtiles read, sooner
than four."""

TRANSPOSING_ROWS = 6
"""Rows of a that take as long as transposing b, so that its columns can be dot products."""


class Blocking(NamedTuple):
    """Sizes and crossovers that a dtype's vectors decide.

    Parameters
    ----------
    mr : int
        Columns of a microtile.
    kc, mc : int
        Rows of a kc panel of b, and columns of a block.
    l2_block_bytes, l3_from_bytes : int
        Bytes of a block in L2, and of a kc panel of a from which the block is larger, in L3. A block in L2 costs less to pack.
        As long as a is small, that counts more than that a is read more often.
    straddling_bytes : int
        Bytes up to which a b that straddles cache lines is read where it lies.
    dot_extra : int
        Elements of the depth that take as long as a dot product's beginning, and its end, where lanes are added up.
    """

    mr: int
    kc: int
    mc: int
    l2_block_bytes: int
    l3_from_bytes: int
    straddling_bytes: int
    dot_extra: int


def blocking(dtype: str) -> Blocking:
    """Sizes by the tile model, and what else differs with the vectors.

    Notes
    -----
    Where b straddles cache lines, the microkernel takes a line more of each row. L2 keeps up with 13 bytes a cycle for half of
    its size. It does not with 21 or 27: there packing pays once b has outgrown L1, in the former case by three quarters.
    Measured on Zen 4, there without AVX-512, and Ice Lake.
    """
    size, unit, levels = ITEMSIZE[dtype], vectors(), caches()
    mr, nr, block, kc, mc = (each.result for each in block_tiling(dtype))
    lanes = unit.lanes(size)
    dot_extra = 16 + 2 * unit.whole_lanes(size)
    taken = (mr * size + LINE) * unit.fmas_a_cycle / (mr // lanes * nr)  # bytes a cycle of a b that straddles
    first, second = levels[0].size, levels[min(1, len(levels) - 1)].size
    straddling_bytes = first if taken > 24 else first * 7 // 4 if taken > 16 else second // 2
    return Blocking(mr, kc, mc, min(block, near_block(levels).result), block, straddling_bytes, dot_extra)
