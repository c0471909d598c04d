"""Tile sizes, warps and stages of the products in Triton: a committed configuration for each class of shapes.

Large tiles use each element that they load more often: a tile of bm x bp takes 1/bm + 1/bp loads for a multiply-add. But a GPU is
filled only by as many tiles as it has multiprocessors. So a format's are listed from the largest tile down, and
the first whose tiles are enough is taken. A search starts from `candidates`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

SHARED_BYTES = 232_448
"""Of shared memory that a block may have on Hopper (227 KiB, CUDA C++ Programming Guide, "Compute Capabilities")."""

BARRIERS_BYTES = 1024
"""Of it at most for the barriers that stages wait at."""

ACCUMULATORS = 128
"""Registers of a thread at most for sums, of 255 in all."""


class Configuration(NamedTuple):
    """How a product is cut up.

    Parameters
    ----------
    bm, bn, bp : int
        Tile of `out` of bm x bp, made from bn of n at a time; powers of two.
    warps : int
        Of a tile; on Hopper four of them issue a wgmma together.
    stages : int
        Of loads in flight, and in shared memory.
    persistent : bool
        One program on each multiprocessor, fed by the TMA, which must be able to describe all three arrays.
    group : int
        Rows of tiles that are gone through together.
    """

    bm: int
    bn: int
    bp: int
    warps: int
    stages: int
    persistent: bool = False
    group: int = 8

    def shared_bytes(self, itemsize: int) -> int:
        """Shared memory at most: the stages, and half a tile of `out` on its way to the TMA."""
        half = self.bm * self.bp // 2 if self.persistent else 0
        return (self.stages * self.bn * (self.bm + self.bp) + half) * itemsize + BARRIERS_BYTES

    def tiles(self, m: int, p: int) -> int:
        """Tiles of an (m, p) result."""
        return -(-m // self.bm) * -(-p // self.bp)


SIXTEEN_BITS = (
    Configuration(128, 64, 256, warps=8, stages=4, persistent=True),
    Configuration(128, 64, 128, warps=8, stages=3),
    Configuration(128, 64, 64, warps=4, stages=3),
    Configuration(64, 64, 64, warps=4, stages=3),
)

CONFIGURATIONS = {
    "float16": SIXTEEN_BITS,
    "bfloat16": SIXTEEN_BITS,
    "tfloat32": (
        Configuration(128, 32, 128, warps=8, stages=4, persistent=True),
        Configuration(128, 32, 128, warps=8, stages=3),
        Configuration(128, 32, 64, warps=4, stages=3),
        Configuration(64, 32, 64, warps=4, stages=3),
    ),
    "float32": (Configuration(128, 16, 128, warps=8, stages=3), Configuration(64, 16, 64, warps=4, stages=3)),
}
"""By dtype, from the largest tile down. Chosen by what compiles without spilling, and for float32 by the share of multiply-adds
in the loop (89 %); not by measurements."""


def choose(dtype: str, m: int, p: int, processors: int, described: bool) -> Configuration:
    """The committed configuration for an (m, p) result.

    Parameters
    ----------
    dtype : str
        A key of `CONFIGURATIONS`.
    m, p : int
    processors : int
        Multiprocessors of the GPU.
    described : bool
        Whether the TMA can describe the arrays.

    Examples
    --------
    >>> choose("bfloat16", 4096, 4096, processors=132, described=True)
    Configuration(bm=128, bn=64, bp=256, warps=8, stages=4, persistent=True, group=8)
    >>> choose("bfloat16", 256, 256, processors=132, described=True)
    Configuration(bm=64, bn=64, bp=64, warps=4, stages=3, persistent=False, group=8)
    """
    listed = [each for each in CONFIGURATIONS[dtype] if described or not each.persistent]
    return next((each for each in listed if each.tiles(m, p) >= processors), listed[-1])


def candidates(itemsize: int, persistent: bool) -> Iterator[Configuration]:
    """Configurations worth measuring: those that fit in shared memory and in registers, with no thread left idle.

    Parameters
    ----------
    itemsize : int
        Bytes of an element.
    persistent : bool

    Examples
    --------
    >>> len(list(candidates(2, persistent=True))), all(each in candidates(2, each.persistent) for each in SIXTEEN_BITS)
    (256, True)
    """
    edges, deep = (64, 128, 256), tuple(bytes_ // itemsize for bytes_ in (64, 128, 256))
    for bm, bn, bp, warps, stages, group in product(edges, deep, edges, (4, 8), (2, 3, 4, 5), (4, 8)):
        one = Configuration(bm, bn, bp, warps, stages, persistent, group)
        sums = bm * bp // (32 * warps)
        if one.shared_bytes(itemsize) <= SHARED_BYTES and 32 <= sums <= ACCUMULATORS:
            yield one
