"""What the loops are told of this CPU: a plan, at the head of the workspace that they are given the address of."""

from __future__ import annotations

from typing import NamedTuple

from kernels.jit.caching import inner
from kernels.jit.memory import whole
from kernels.jit.simd import LINE
from kernels.packed.microkernel import TALLEST, tallest
from kernels.packed.pool.tasks import COUNTERS_BYTES

ROW_PADDING = 64
"""Bytes between packed rows, so that they do not fall into the same cache sets."""


class Plan(NamedTuple):
    """All that the loops are told, as whole numbers.

    Parameters
    ----------
    gate : int
        Address of the team's.
    tile, dots, blocked, few_columns, one_row, serve : int
        Addresses of compiled functions: the microkernel, that of dot products, the loops around the former, those of a
        product with a few columns, or one row, and a thread's part in a product that is shared.
    registers, early, lanes, width : int
        Vector registers of the CPU, whether elements of a are loaded early, elements of a register, and the most of a tile's row.
    dot_extra : int
        Elements more of the depth that a dot product takes the time of.
    kc : int
        Depth of a slab.
    serial, direct_bytes, rows_to_pack_for, scattered_bytes, strip : int
        Crossovers, as in `choices`.
    near_bytes : int
        A b that is larger, and whose vectors lie across cache lines, is packed.
    far_bytes : int
        With a slab of a that is smaller, a block of b is kept in the second level.
    own_bytes, block_bytes, near_block_bytes : int
        Workspace of each thread: for a sliver of a and a tile of c, and for a block of b; and of that what a block in the second
        level takes.
    threads : int
        How many there is workspace for.
    """

    gate: int
    tile: int
    dots: int
    blocked: int
    few_columns: int
    one_row: int
    serve: int
    registers: int
    early: int
    lanes: int
    width: int
    dot_extra: int
    kc: int
    serial: int
    direct_bytes: int
    rows_to_pack_for: int
    near_bytes: int
    scattered_bytes: int
    strip: int
    far_bytes: int
    own_bytes: int
    block_bytes: int
    near_block_bytes: int
    threads: int

    def workspace_bytes(self, threads: int) -> int:
        """Bytes that so many threads need."""
        return PLAN_BYTES + PRODUCT_BYTES + threads * (COUNTERS_BYTES + self.block_bytes + self.own_bytes)


(
    GATE, TILE, DOTS, BLOCKED, FEW_COLUMNS, ONE_ROW, SERVE, REGISTERS, EARLY, LANES, WIDTH, DOT_EXTRA, KC, SERIAL, DIRECT_BYTES,
    ROWS_TO_PACK_FOR, NEAR_BYTES, SCATTERED_BYTES, STRIP, FAR_BYTES, OWN_BYTES, BLOCK_BYTES,
    NEAR_BLOCK_BYTES, THREADS,
) = range(len(Plan._fields))  # fmt: skip

PLAN_BYTES, PRODUCT_BYTES = 3 * LINE, 3 * LINE
"""The head of the workspace: the plan, and the product that is shared; then come each thread's counters, block and own room."""


def own_bytes(width: int, depth: int, size: int) -> int:
    """Workspace of a thread: a tile's rows of a, and of c; to a multiple of a cache line."""
    return -(-TALLEST * (depth * size + ROW_PADDING + width * size) // LINE) * LINE


@inner
def entry(room: int, place: int) -> int:
    """An entry of the plan at the head of a workspace, or of another row of whole numbers."""
    return whole(room + 8 * place)


@inner
def counters(room: int, part: int) -> int:
    """Where a workspace has the counters of a part's tasks."""
    return room + PLAN_BYTES + PRODUCT_BYTES + part * (COUNTERS_BYTES + entry(room, BLOCK_BYTES) + entry(room, OWN_BYTES))


@inner
def block(room: int, part: int) -> int:
    """Where a workspace has a part's block of b."""
    return counters(room, part) + COUNTERS_BYTES


@inner
def own(room: int, thread: int) -> int:
    """Where a workspace has what no other thread sees."""
    return block(room, thread) + entry(room, BLOCK_BYTES)


@inner
def tile_for(m: int, p: int, room: int) -> tuple[int, int]:
    """Rows and width of the tiles of a product with m rows and p columns: no wider than p, and tall enough for a few rows."""
    lanes, registers, early = entry(room, LANES), entry(room, REGISTERS), entry(room, EARLY)
    across = pieces(p, lanes)
    vectors = pieces(across, pieces(across, entry(room, WIDTH) // lanes))
    while vectors > 1 and tallest(vectors, registers, early) < m <= TALLEST:
        vectors -= 1
    return tallest(vectors, registers, early), vectors * lanes


@inner
def pieces(whole: int, most: int) -> int:
    """The fewest equal pieces of at most `most`."""
    return max(1, -(-whole // most))


@inner
def between(whole: int, piece: int, pieces: int) -> tuple[int, int]:
    """Where a piece begins and ends, of equal ones."""
    return whole * piece // pieces, whole * (piece + 1) // pieces
