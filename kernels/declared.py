"""What a kernel may declare of itself: a slip is refused where the kernel enters the table, and is listed with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.accuracy import FORMATS

if TYPE_CHECKING:
    from kernels.registry import Kernel

DEVICES = ("cpu", "cuda")

TILES = {"block": ("width",), "tiled": ("tm", "tn", "tp")}
"""The names of a tile's sizes on the CPU, by rung; a GPU's kernels have tiles of their own."""


def check(kernel: Kernel) -> None:
    """Check the name, the dtypes, the devices, and the tile on the CPU.

    Raises
    ------
    ValueError
        With the kernel's name, what it declares, and what was expected. What a tile's function raises is passed on.
    """
    if not kernel.name.isprintable():
        raise ValueError(f"kernel {kernel.name!r}: expected a name without control characters")
    for what, declared, known in (("dtypes", kernel.dtypes, tuple(FORMATS)), ("devices", kernel.devices, DEVICES)):
        if not isinstance(declared, tuple) or not declared or not set(declared) <= set(known):
            raise ValueError(f"kernel {kernel.name!r}: {what}={declared!r}: expected a tuple of {', '.join(known)}")
    for dtype in kernel.dtypes if "cpu" in kernel.devices else ():
        tile, names = kernel.tile_for(dtype), TILES.get(kernel.rung, ())
        if not all(isinstance(size, int) and size > 0 for size in tile.values()):
            raise ValueError(f"kernel {kernel.name!r}: tile={tile}: expected whole numbers above 0")
        if tile and not set(names) <= set(tile):
            raise ValueError(f"kernel {kernel.name!r}: tile={tile}: expected {', '.join(names)}, as every {kernel.rung} has")
