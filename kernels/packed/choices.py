"""What is chosen for this CPU: how deep and how large blocks are, and the crossovers between one way and another.

``python -m benchmarks tune --kernel numba/full`` measures the crossovers. Where a choice differs from CPU to CPU, it goes by how
many bytes of b the microkernel takes a cycle, which is what a cache must bring: 11 with AVX2 or Zen 4's AVX-512, 21 with Intel's.
"""

from __future__ import annotations

from typing import NamedTuple

from kernels.cpu.caches import caches
from kernels.cpu.tiles import ITEMSIZE, block_tiling, near_block
from kernels.cpu.vectors import vectors
from kernels.jit.emit import LINE

ELEMENT = 4
"""An element of an operand takes about as long to fetch as so many multiply-adds, most of a product of one row or column."""

SERIAL = 600_000
"""Up to this much work, in multiply-adds, a second thread brings little, though it be awake: starting and joining take some
microseconds."""

DIRECT_BYTES = 128 << 10
"""A b up to this size is read where it lies, if its vectors do not lie across cache lines: packing would cost more than the pages
and cache sets that it saves."""

ROWS_TO_PACK_FOR = 16
"""With fewer rows of a, a packed b whose rows are far apart would not be read often enough; one whose vectors merely lie across
cache lines, with fewer than twice as many."""

STRIP = 16
"""Rows of a b that is scattered, but not worth packing, that are gone along at a time: memory likes to be read along rows."""

SCATTERED_BYTES = 2048
"""Rows of b as far apart as this, or further, are packed: they share few cache sets, and soon each is on a page of its own."""

LONG_ROW_BYTES = 1024
"""A product of one row goes along rows of b that are as far apart as this, several at once; down its columns, a tile's width of
them, where they are closer."""

FEW_VECTORS = 4
"""Columns of more vectors than these are always made as tiles, of which then only the last has empty lanes."""

FEW_FROM_MEMORY = 4
"""And of more columns, if a comes from memory: tiles go along eight rows at once, which memory serves sooner than four."""

TRANSPOSING_ROWS = 6
"""To turn b, so that its columns can be dot products, takes as long as so many rows more of a."""


class Blocking(NamedTuple):
    """Sizes and crossovers that a dtype's vectors decide.

    Parameters
    ----------
    mr : int
        Columns of a tile (mr).
    kc, mc : int
        Rows of a slab of the depth, and columns of a block of it.
    l2_block_bytes, l3_from_bytes : int
        What a block in the second level takes, where it is kept if a slab of a takes less than the latter: to pack it costs less
        there, which counts more, as long as a is small, than that a is passed over more often.
    straddling_bytes : int
        Up to so many a straddling b is read where it lies.
    dot_extra : int
        Elements of the depth that a dot product takes beyond its own, the time to begin, and to add its lanes up.
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
    Where vectors of b lie across cache lines, each row of a tile takes a line more. The second level keeps up with 13 bytes a
    cycle for half of its size, and not with 21 or 27, which pays for packing once b has outgrown the first, in the former
    case by three quarters: measured on Zen 4, there without AVX-512, and Ice Lake.
    """
    size, unit, levels = ITEMSIZE[dtype], vectors(), caches()
    width, rows, block, kc, mc = (each.result for each in block_tiling(dtype))
    lanes = unit.lanes(size)
    dot_extra = 16 + 2 * unit.whole_lanes(size)
    straddling = (width * size + LINE) * unit.fmas_a_cycle / (width // lanes * rows)
    first, second = levels[0].size, levels[min(1, len(levels) - 1)].size
    straddling_bytes = first if straddling > 24 else first * 7 // 4 if straddling > 16 else second // 2
    return Blocking(width, kc, mc, min(block, near_block(levels).result), block, straddling_bytes, dot_extra)
