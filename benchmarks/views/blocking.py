"""What blocking does, drawn: which parts of a, b and c are in registers and in which cache while `numba/full` makes a product."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmarks.harness.records import Machine
from benchmarks.views.plates import GREY, INK, Label, Panel, Plate
from kernels.cpu.caches import Cache
from kernels.cpu.tiles import ITEMSIZE, Derivation, block_tiling
from kernels.cpu.vectors import vectors_of
from minisgd.common.tables.description import Table, words
from minisgd.common.units import size

REGISTERS, NEAR, FAR = "#d55e00", "#0072b2", "#009e73"
"""What is in registers, in L1, and in the cache of the block."""


@dataclass(frozen=True)
class Kept:
    """A part of an operand that stays in one place while others pass by.

    Parameters
    ----------
    what : str
    rows, columns : int
    place : str
        "registers", or a cache's name.
    bytes, room : int
        What it takes, and what the place has; 0 for registers.
    """

    what: str
    rows: int
    columns: int
    place: str
    bytes: int
    room: int = 0

    @property
    def share(self) -> str:
        """Bytes of how many."""
        return f"{size(self.bytes)} of {size(self.room)}" if self.room else size(self.bytes)


@dataclass(frozen=True)
class Blocks:
    """The microtile of c, the micropanel of a and the block of b, and how their sizes follow from the CPU."""

    c: Kept
    a: Kept
    b: Kept
    derivations: tuple[Derivation, ...]

    def table(self) -> Table:
        """How each size came about."""
        made = Table(
            [words("size"), words("follows from"), words("with")], "Sizes of numba/full's blocks, and what they follow from"
        )
        for each in self.derivations:
            inputs = ", ".join(f"{name} = {value}" for name, value in each.inputs.items())
            made.add(f"{each.name} = {each.result}", each.formula, inputs)
        return made


def blocks(here: Machine, dtype: str = "float32") -> Blocks | None:
    """What `numba/full` works by on a machine; None where its record does not tell caches, vectors and family."""
    if not (here.caches and here.core and dtype in ITEMSIZE):
        return None
    hierarchy = [Cache(**vars(level)) for level in here.caches]
    try:
        derived = block_tiling(dtype, hierarchy, vectors_of(here.vectors, here.core), here.core)
    except KeyError:  # an instruction set that this version does not know
        return None
    mr, nr, _, kc, mc = (each.result for each in derived)
    item = ITEMSIZE[dtype]
    first = hierarchy[0]
    holds = next((level for level in hierarchy[1:] if kc * mc * item <= level.size), hierarchy[-1])
    return Blocks(
        Kept("microtile of c", nr, mr, "registers", nr * mr * item),
        Kept("micropanel of a", nr, kc, f"L{first.level}", nr * kc * item, first.size),
        Kept("block of b", kc, mc, f"L{holds.level}", kc * mc * item, holds.size),
        derived,
    )


def drawing(found: Blocks) -> Plate:
    """The three matrices, with what is kept of each, and how much of its cache that takes. Lengths are not to scale."""

    def draw(axes: Axes) -> list[Label]:
        axes.set(xlim=(0, 18), ylim=(0, 7.2))
        axes.set_axis_off()
        for x, y, name in ((0.2, 0.3, "a"), (3.9, 3.9, "b"), (3.9, 0.3, "c")):
            axes.add_patch(Rectangle((x, y), 3.2, 3.1, fill=False, edgecolor=INK, linewidth=1))
            axes.text(x + 2.95, y + 2.75, name, fontsize=11, fontweight="bold")
        parts = [
            (found.c, REGISTERS, (4.7, 1.5, 0.5, 0.3), 5.4, f"{found.c.rows} x {found.c.columns} sums of c"),
            (found.a, NEAR, (0.2, 1.5, 2.2, 0.3), 3.0, f"{found.a.rows} rows of a, {found.a.columns:,} deep"),
            (found.b, FAR, (4.4, 4.8, 1.6, 2.2), 0.6, f"{found.b.rows:,} x {found.b.columns:,} of b"),
        ]
        for kept, color, (x, y, width, height), level, said in parts:
            axes.add_patch(Rectangle((x, y), width, height, facecolor=color, alpha=0.75, edgecolor=color))
            axes.text(8.6, level + 1.05, f"{kept.place}: {said}", fontsize=10, color=color, fontweight="bold")
            _bar(axes, level, kept, color)
        axes.annotate("", (2.4, 1.2), (0.3, 1.2), arrowprops={"arrowstyle": "->", "color": NEAR})
        axes.annotate("", (6.3, 1.65), (5.25, 1.65), arrowprops={"arrowstyle": "->", "color": GREY})
        return []

    return Plate([Panel(draw, (8.2, 3.4))])


def _bar(axes: Axes, y: float, kept: Kept, color: str) -> None:
    """A place as a bar, as full as what is kept there makes it."""
    share = min(1.0, kept.bytes / kept.room) if kept.room else 1.0
    axes.add_patch(Rectangle((8.6, y), 5.4, 0.65, fill=False, edgecolor=color, linewidth=1))
    axes.add_patch(Rectangle((8.6, y), 5.4 * share, 0.65, facecolor=color, alpha=0.75, edgecolor="none"))
    axes.text(14.2, y + 0.12, kept.share, fontsize=9)
