"""The three layouts. A product is made ready for a shape, tells which parts this rank holds, and is then called with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from kernels.arrays import aligned_zeros
from kernels.sharded.local import Array, Multiply
from kernels.sharded.mesh import Mesh, cut, steps
from kernels.sharded.peers import Peers

PANEL = 256
"""Columns of a and rows of b in a step of SUMMA: as deep as a product must be to be fast, and few enough to be sent meanwhile."""


class Block(NamedTuple):
    """Rows and columns of a matrix."""

    rows: slice
    columns: slice

    def of(self, whole: Array) -> Array:
        """The block of a matrix, in memory of its own."""
        return np.ascontiguousarray(whole[self.rows, self.columns])


class Sharded(Protocol):
    """A product made ready.

    Attributes
    ----------
    a, b, out : Block
        What this rank holds of each matrix.
    """

    a: Block
    b: Block
    out: Block

    def __init__(self, peers: Peers, multiply: Multiply, shape: tuple[int, int, int], dtype: Any) -> None:
        """Make the product (m, n, p) ready, workspace included."""

    def __call__(self, a: Array, b: Array, out: Array) -> None:
        """Multiply: every rank at once, with its own blocks, C-contiguous arrays of the dtype; `out` is overwritten."""


class Columns:
    """Columns of out from the columns of b and all of a, which is gathered first.

    To multiply the rank's own rows meanwhile would hide the gathering, but pack b twice; and where ranks have all cores, one that
    would else multiply moves the bytes.
    """

    def __init__(self, peers: Peers, multiply: Multiply, shape: tuple[int, int, int], dtype: Any) -> None:
        m, n, p = shape
        self._peers, self._multiply, self._whole = peers, multiply, aligned_zeros((m, n), dtype)
        rows, columns = cut(m, peers.count), cut(p, peers.count)[peers.rank]
        self.a, self.b = Block(rows[peers.rank], slice(0, n)), Block(slice(0, n), columns)
        self.out = Block(slice(0, m), columns)
        self._parts = [(rank, self._whole[part]) for rank, part in enumerate(rows) if rank != peers.rank]

    def __call__(self, a: Array, b: Array, out: Array) -> None:
        """See `Sharded`."""
        wait = self._peers.exchange([(rank, a) for rank, _ in self._parts], self._parts)
        self._whole[self.a.rows] = a
        wait()
        self._multiply(self._whole, b, out)


class Rows:
    """Rows of out, each rank's share of whose sums is from the columns of a and the rows of b that it has."""

    def __init__(self, peers: Peers, multiply: Multiply, shape: tuple[int, int, int], dtype: Any) -> None:
        m, n, p = shape
        self._peers, self._multiply, self._rows = peers, multiply, cut(m, peers.count)
        mine = cut(n, peers.count)[peers.rank]
        self.a, self.b = Block(slice(0, m), mine), Block(mine, slice(0, p))
        self.out = Block(self._rows[peers.rank], slice(0, p))
        self._sums = {rank: aligned_zeros((_length(rows), p), dtype) for rank, rows in enumerate(self._rows)}
        own = self._sums.pop(peers.rank).shape
        self._parts = {rank: aligned_zeros(own, dtype) for rank in self._sums}

    def __call__(self, a: Array, b: Array, out: Array) -> None:
        """See `Sharded`."""
        for rank, sums in self._sums.items():
            self._multiply(a[self._rows[rank]], b, sums)
        wait = self._peers.exchange(list(self._sums.items()), list(self._parts.items()))
        self._multiply(a[self._rows[self._peers.rank]], b, out)
        wait()
        for part in self._parts.values():
            out += part


class Panel(NamedTuple):
    """A step of SUMMA: some columns of a and as many rows of b, and what is there when they are."""

    a: Array
    b: Array
    wait: Callable[[], None]


class Summa:
    """Blocks of out, each the sum of the products of panels that go along the mesh; the next is on its way meanwhile."""

    def __init__(self, peers: Peers, multiply: Multiply, shape: tuple[int, int, int], dtype: Any) -> None:
        (m, n, p), mesh = shape, Mesh.of(peers.count)
        self._peers, self._multiply, self._mesh = peers, multiply, mesh
        self._i, self._j = i, j = mesh.place(peers.rank)
        rows, columns = cut(m, mesh.rows)[i], cut(p, mesh.columns)[j]
        self._deep, self._high = cut(n, mesh.columns), cut(n, mesh.rows)
        self.a, self.b, self.out = Block(rows, self._deep[j]), Block(self._high[i], columns), Block(rows, columns)
        self._steps = steps(n, (mesh.rows, mesh.columns), PANEL)
        height, width = _length(rows), _length(columns)
        self._sums = aligned_zeros((height, width), dtype)
        self._room = [(aligned_zeros((height * PANEL,), dtype), aligned_zeros((PANEL * width,), dtype)) for _ in range(2)]

    def __call__(self, a: Array, b: Array, out: Array) -> None:
        """See `Sharded`."""
        if not self._steps:
            out[...] = 0
        coming = self._panels(a, b)
        panel, sums = next(coming, None), out
        while panel is not None:
            panel.wait()
            following = next(coming, None)
            self._multiply(panel.a, panel.b, sums)
            if sums is not out:
                out += sums
            panel, sums = following, self._sums

    def _panels(self, a: Array, b: Array) -> Iterator[Panel]:
        """The panels of all steps, each sent off when it is asked for."""
        for number, step in enumerate(self._steps):
            depth, (room_a, room_b) = _length(step), self._room[number % 2]
            panel_a, panel_b = room_a[: len(a) * depth].reshape(-1, depth), room_b[: depth * b.shape[1]].reshape(depth, -1)
            along, down = _holder(self._deep, step), _holder(self._high, step)
            row = [self._mesh.rank(self._i, each) for each in range(self._mesh.columns) if each != self._j]
            column = [self._mesh.rank(each, self._j) for each in range(self._mesh.rows) if each != self._i]
            sends, receives = [], []
            if along == self._j:
                panel_a[...] = a[:, _within(step, self._deep[along])]
                sends += [(rank, panel_a) for rank in row]
            else:
                receives.append((self._mesh.rank(self._i, along), panel_a))
            if down == self._i:
                panel_b = b[_within(step, self._high[down])]
                sends += [(rank, panel_b) for rank in column]
            else:
                receives.append((self._mesh.rank(down, self._j), panel_b))
            yield Panel(panel_a, panel_b, self._peers.exchange(sends, receives))


LAYOUTS: dict[str, type[Columns] | type[Rows] | type[Summa]] = {"columns": Columns, "rows": Rows, "summa": Summa}


def _length(part: slice) -> int:
    return int(part.stop - part.start)


def _holder(parts: list[slice], step: slice) -> int:
    """Which of the parts a step lies in."""
    return next(number for number, part in enumerate(parts) if part.start <= step.start < part.stop)


def _within(step: slice, part: slice) -> slice:
    return slice(step.start - part.start, step.stop - part.start)
