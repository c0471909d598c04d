"""Who holds what: lengths cut into even parts, and ranks in rows and columns.

PyTorch's DeviceMesh makes a process group for each row and column; here ranks send to ranks, by whatever transport, and there is
nothing to group.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isqrt


def cut(length: int, parts: int) -> list[slice]:
    """Parts of a length, one behind the other, that differ by one at most.

    Examples
    --------
    >>> cut(5, 3)
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    return [slice(length * part // parts, length * (part + 1) // parts) for part in range(parts)]


def steps(length: int, cuts: tuple[int, ...], most: int) -> list[slice]:
    """Steps along a length, each within one part of each of the cuts and no longer than `most`.

    Examples
    --------
    >>> [(each.start, each.stop) for each in steps(12, (2, 3), 4)]
    [(0, 4), (4, 6), (6, 8), (8, 12)]
    """
    borders = {0, length} | {part.start for parts in cuts for part in cut(length, parts)}
    wide = sorted(borders)
    borders |= {place for start, stop in pairwise(wide) for place in range(start, stop, most)}
    ordered = sorted(borders)
    return [slice(start, stop) for start, stop in pairwise(ordered)]


@dataclass(frozen=True)
class Mesh:
    """Ranks row by row: rank r stands in row r // columns and column r % columns."""

    rows: int
    columns: int

    @classmethod
    def of(cls, ranks: int) -> Mesh:
        """The mesh of so many ranks that is nearest to a square, not higher than it is wide.

        Examples
        --------
        >>> Mesh.of(6), Mesh.of(5)
        (Mesh(rows=2, columns=3), Mesh(rows=1, columns=5))
        """
        rows = next(each for each in range(isqrt(ranks), 0, -1) if ranks % each == 0)
        return cls(rows, ranks // rows)

    def place(self, rank: int) -> tuple[int, int]:
        """Row and column of a rank."""
        return divmod(rank, self.columns)

    def rank(self, row: int, column: int) -> int:
        """The rank at a place."""
        return row * self.columns + column
