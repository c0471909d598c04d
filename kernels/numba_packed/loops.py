"""The loops around the microkernel: which part of which operand is in which cache.

    for each slab of the depth                kc rows of b
        for each block of its columns         kc x pc of b, packed, in half of the second level
            for each sliver of rows           a few rows of a, in the first level
                for each panel of the block   kc x a tile's width of b, streams by from the second level
                    the microkernel           a tile of c, in registers

This is Goto's order with a and b in each other's place, for rows instead of columns: the vectors run along a row of c. Each
part is cut into equal pieces, not into full ones and a rest: 256 rows are ten slivers of 13 and nine of 14.

Addresses and strides are integers, in bytes: what is compiled does not depend on the operands' layouts, nor on the tile, whose
microkernel is called by its address. So there is one function a dtype.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit

from kernels.numba_packed.memory import read, write
from kernels.numba_packed.microkernel import UNROLLED, call_tile
from kernels.numba_packed.packing import pack_panels, pack_rows

ROW_PADDING = 64
"""Bytes between packed rows, so that they do not fall into the same cache sets."""


class Plan(NamedTuple):
    """What the loops are told: a microkernel's address and tile, the depth of a slab, the width of a block, when to pack."""

    tile: int
    rows: int
    width: int
    kc: int
    pc: int
    direct_bytes: int
    rows_to_pack_for: int
    scattered_bytes: int
    workspace_bytes: int


def workspace_bytes(rows: int, width: int, kc: int, pc: int, size: int) -> int:
    """Bytes that a thread needs: a sliver of a, a tile of c, and a block of b; to a multiple of a cache line."""
    kc += UNROLLED  # the last slab takes what the others leave
    found = rows * (kc * size + ROW_PADDING) + rows * width * size + kc * pc * size
    return -(-found // 64) * 64


@njit
def entry(plan: int, place: int) -> int:
    """An entry of the plan at an address."""
    return read(plan + 8 * place, np.int64(0))


@njit
def pieces(whole: int, most: int) -> int:
    """The fewest equal pieces of at most `most`."""
    return max(1, -(-whole // most))


@njit
def add_tile(height: int, wide: int, tile: int, tile_row: int, c: int, c_row: int, c_column: int, size: int, beta: Any) -> None:
    """Make c = tile + beta c, an element at a time: where c's rows and columns both have strides."""
    for i in range(height):
        for j in range(wide):
            place = c + i * c_row + j * c_column
            value = read(tile + i * tile_row + j * size, beta)
            if beta != 0:
                value += beta * read(place, beta)
            write(place, value)


@njit
def block(m, n, p, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, size, alpha, beta, zero, one, work, plan):  # type: ignore[no-untyped-def]
    """Make c = alpha a b + beta c on this thread, in the workspace at address `work`."""
    tile, rows, width, kc, pc = entry(plan, 0), entry(plan, 1), entry(plan, 2), entry(plan, 3), entry(plan, 4)
    large = n * p * size > entry(plan, 5) and m >= entry(plan, 6)
    pack_a = a_column != size or (large and abs(a_row) >= entry(plan, 7))
    row_bytes = (kc + UNROLLED) * size + ROW_PADDING
    spare = work + rows * row_bytes
    panels = spare + rows * width * size
    slabs, blocks, slivers = pieces(n, kc), pieces(p, pc), pieces(m, rows)
    straight = c_column == size
    for slab in range(slabs):
        k0 = n * slab // slabs // UNROLLED * UNROLLED
        depth = (n * (slab + 1) // slabs // UNROLLED * UNROLLED if slab + 1 < slabs else n) - k0
        scale = beta if slab == 0 else one
        for part in range(blocks):
            j0 = pieces(p * part // blocks, width) * width if part else 0
            columns = (min(p, pieces(p * (part + 1) // blocks, width) * width) if part + 1 < blocks else p) - j0
            b_block = b + k0 * b_row + j0 * b_column
            packing = b_column != size or large
            if packing:
                pack_panels(b_block, b_row, b_column, depth, columns, width, panels, size, zero)
            for sliver in range(slivers):
                i0 = m * sliver // slivers
                height = m * (sliver + 1) // slivers - i0
                a_here, a_stride = a + i0 * a_row + k0 * a_column, a_row
                if pack_a:
                    pack_rows(a_here, a_row, a_column, height, depth, work, row_bytes, size, zero)
                    a_here, a_stride = work, row_bytes
                for j in range(0, columns, width):
                    wide = min(width, columns - j)
                    b_here = panels + j * depth * size if packing else b_block + j * size
                    b_step = width * size if packing else b_row
                    c_here = c + i0 * c_row + (j0 + j) * c_column
                    if straight:
                        call_tile(tile, height, depth, a_here, a_stride, b_here, b_step, c_here, c_row, wide, alpha, scale)
                    else:
                        call_tile(tile, height, depth, a_here, a_stride, b_here, b_step, spare, width * size, wide, alpha, zero)
                        add_tile(height, wide, spare, width * size, c_here, c_row, c_column, size, scale)


def product(stamp: str) -> Any:
    """The function that is compiled for each dtype.

    `stamp` changes with the source of this package. Numba's cache looks at the file of a function, and at what it closes over:
    this is how a change in another file is seen.
    """

    def multiply(a, b, c, alpha, beta, work, plan, across, down):  # type: ignore[no-untyped-def]
        """Make c = alpha a b + beta c, c's columns cut into `across` parts and its rows into `down`, a thread each."""
        stamp  # noqa: B018
        m, n, p = a.shape[0], a.shape[1], b.shape[1]
        if b.shape[0] != n or c.shape[0] != m or c.shape[1] != p:
            raise ValueError("expected a (m, n), b (n, p) and out (m, p)")
        if m == 0 or p == 0:
            return
        factor, scale, zero, one = a.dtype.type(alpha), a.dtype.type(beta), a.dtype.type(0), a.dtype.type(1)
        if n == 0 or factor == 0:
            for i in range(m):
                for j in range(p):
                    c[i, j] = scale * c[i, j] if scale != 0 else scale
            return
        # Numba has addresses unsigned, and makes a float of the sum of an unsigned and a signed integer.
        a_at, b_at, c_at = np.int64(a.ctypes.data), np.int64(b.ctypes.data), np.int64(c.ctypes.data)
        a_row, a_column = a.strides
        b_row, b_column = b.strides
        c_row, c_column = c.strides
        size = a.itemsize
        if c_column != size and c_row == size:  # c is transposed: so is the product
            m, p, a_at, b_at = p, m, b_at, a_at
            a_row, a_column, b_row, b_column = b_column, b_row, a_column, a_row
            c_row, c_column = c_column, c_row
            across, down = down, across
        if across * down == 1:
            block(
                m, n, p, a_at, a_row, a_column, b_at, b_row, b_column, c_at, c_row, c_column, size, factor, scale, zero, one,
                work, plan,
            )  # fmt: skip
            return
        width, share = entry(plan, 2), entry(plan, 8)
        for thread in numba.prange(across * down):
            part = np.int64(thread)
            i0, i1 = m * (part // across) // down, m * (part // across + 1) // down
            j0 = p * (part % across) // across // width * width
            j1 = p * (part % across + 1) // across // width * width if part % across + 1 < across else p
            if i1 > i0 and j1 > j0:
                block(
                    i1 - i0, n, j1 - j0, a_at + i0 * a_row, a_row, a_column, b_at + j0 * b_column, b_row, b_column,
                    c_at + i0 * c_row + j0 * c_column, c_row, c_column, size, factor, scale, zero, one,
                    work + part * share, plan,
                )  # fmt: skip

    return multiply
