"""What blocking does, drawn: which parts of a, b and c are in registers and in which cache while `numba/full` makes a product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmarks.harness.machines import Machine
from kernels.cpu.caches import Cache
from kernels.cpu.tiles import ITEMSIZE, Derivation, block_tiling
from kernels.cpu.vectors import vectors_of
from minisgd.common.plates import GREY, INK, Label, Panel, Plate
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
    """The three matrices with what is kept of each, and how much of its place that takes. Lengths are not to scale."""
    parts = [(found.c, REGISTERS, "sums of c"), (found.a, NEAR, "of a"), (found.b, FAR, "of b")]
    return Plate([Panel(_matrices, (4.0, 3.4)), Panel(lambda axes: _places(axes, parts), (5.0, 3.4))])


def _matrices(axes: Axes) -> list[Label]:
    """The corner of b is above c, and a is left of c: a row of a and a column of b make an element of c."""
    axes.set(xlim=(0, 7.4), ylim=(0, 7.2), aspect="equal")
    axes.set_axis_off()
    kept = {"a": (0.2, 0.3, NEAR, (0.2, 1.5, 2.2, 0.3)), "b": (3.9, 3.9, FAR, (4.4, 4.8, 1.6, 2.2)),
            "c": (3.9, 0.3, REGISTERS, (4.7, 1.5, 0.5, 0.3))}  # fmt: skip
    for name, (x, y, color, (left, low, width, height)) in kept.items():
        axes.add_patch(Rectangle((x, y), 3.2, 3.1, fill=False, edgecolor=INK, linewidth=1))
        axes.add_patch(Rectangle((left, low), width, height, facecolor=color, alpha=0.75, edgecolor=color))
        axes.text(x + 3.1, y + 3.0, name, fontsize=11, fontweight="bold", ha="right", va="top")
    axes.annotate("", (6.3, 1.65), (5.25, 1.65), arrowprops={"arrowstyle": "->", "color": GREY})
    return []


def _places(axes: Axes, parts: Sequence[tuple[Kept, str, str]]) -> list[Label]:
    """Each place as a bar, as full as what is kept there makes it; nearest first."""
    axes.set(xlim=(0, 1.02), ylim=(0, 3 * 1.6))
    axes.set_axis_off()
    for place, (kept, color, what) in enumerate(parts):
        y = 1.6 * (2 - place)
        share = min(1.0, kept.bytes / kept.room) if kept.room else 1.0
        axes.add_patch(Rectangle((0, y), 1, 0.5, fill=False, edgecolor=color, linewidth=1))
        axes.add_patch(Rectangle((0, y), share, 0.5, facecolor=color, alpha=0.75, edgecolor="none"))
        said = f"{kept.place}: {kept.rows:,} x {kept.columns:,} {what}"
        axes.text(0, y + 0.66, said, fontsize=10, color=color, fontweight="bold")
        axes.text(1, y + 0.66, kept.share, fontsize=9, ha="right")
    return []
