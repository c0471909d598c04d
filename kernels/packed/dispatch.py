"""The entry to the compiled product: shapes checked, operands turned if need be, and threads let in.

The loops are called by their address, so that they are compiled once, and not again in each function that calls them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.jit.caching import inner
from kernels.jit.memory import lanes_of, read, size_of, write
from kernels.jit.pointers import call
from kernels.packed.choices import ELEMENT, FEW_IF_FAR, FEW_VECTORS, LONG_ROW_BYTES, TURNING_ROWS
from kernels.packed.loops import direct, straddling
from kernels.packed.plan import (
    BLOCKED,
    DIRECT_BYTES,
    DOT_EXTRA,
    FAR_BYTES,
    FEW_COLUMNS,
    GATE,
    KC,
    LANES,
    ONE_ROW,
    PLAN_BYTES,
    SERIAL,
    SERVE,
    THREADS,
    counters,
    entry,
    pieces,
)
from kernels.packed.pool.tasks import begin
from kernels.packed.pool.workers import acquire, release, run, threads_available, worth_waking


def multiply(a, b, c, alpha, beta, room, threads):  # type: ignore[no-untyped-def]
    """Make c = alpha a b + beta c on so many threads, in the workspace at address `room`, and return True.

    With no number of threads, on as many as numba is set to, where they pay; False, and nothing done, if there are not so many
    helpers yet, or no workspace for them. On one, if another product has the helpers.
    """
    m, n, p, gate = a.shape[0], a.shape[1], b.shape[1], entry(room, GATE)
    work = m * n * p + ELEMENT * (m * n + n * p + m * p)
    if threads == 0 and work > entry(room, SERIAL):
        threads = threads_available(gate)
        if threads == 0 or threads > entry(room, THREADS):
            return False
        if threads > 1 and not worth_waking(gate, work):
            threads = 1
    if b.shape[0] != n or c.shape[0] != m or c.shape[1] != p:
        raise ValueError("expected a (m, n), b (n, p) and out (m, p)")
    if m == 0 or p == 0:
        return True
    factor, scale, zero, one = a.dtype.type(alpha), a.dtype.type(beta), a.dtype.type(0), a.dtype.type(1)
    if n == 0 or factor == 0:
        for i in range(m):
            for j in range(p):
                c[i, j] = scale * c[i, j] if scale != 0 else scale
        return True
    if threads > 1 and not acquire(gate):
        threads = 1
    # Numba has addresses unsigned, and makes a float of the sum of an unsigned and a signed integer.
    a_at, b_at, c_at = np.int64(a.ctypes.data), np.int64(b.ctypes.data), np.int64(c.ctypes.data)
    a_row, a_column = a.strides
    b_row, b_column = b.strides
    c_row, c_column = c.strides
    size = size_of(factor)
    # Turned, c' = b' a', where c is transposed, or few rows can be dot products, or one of a single row or column would read the
    # other across its rows, or in rows of one element.
    across = (p == 1 and (a_column != size or n == 1)) or (m == 1 and p > 1 and b_column != size)
    across = across or (b_row == size and b_column != size and few(m, n, p, factor, room))
    if across or (m > 1 and p > 1 and c_column != size and c_row == size):
        m, p, a_at, b_at = p, m, b_at, a_at
        a_row, a_column, b_row, b_column = b_column, b_row, a_column, a_row
        c_row, c_column = c_column, c_row
    dots = a_column == size and (p == 1 or few(p, n, m, factor, room))
    long_rows = n * p * size > entry(room, DIRECT_BYTES) and abs(b_row) >= LONG_ROW_BYTES
    sums = m == 1 and b_column == size and c_column == size and long_rows
    rows_in_one_piece = a_column == size and b_column == size and c_column == size
    fitting = n * p * size <= entry(room, DIRECT_BYTES) and n <= entry(room, KC)
    if rows_in_one_piece and fitting and not dots and not straddling(b_at, b_row, n * p * size, room) and threads < 2:
        direct(m, n, p, a_at, a_row, b_at, b_row, c_at, c_row, room, factor, scale)
        return True
    loops = entry(room, FEW_COLUMNS if dots else ONE_ROW if sums else BLOCKED)
    for part in range(max(1, threads)):
        begin(counters(room, part))
    if threads < 2:
        call(
            loops, m, n, p, a_at, a_row, a_column, b_at, b_row, b_column, c_at, c_row, c_column, room, 0, 1,
            factor, scale, zero, one,
        )  # fmt: skip
        return True
    at = room + PLAN_BYTES
    for place, number in enumerate(
        (loops, m, n, p, a_at, a_row, a_column, b_at, b_row, b_column, c_at, c_row, c_column, threads)
    ):
        write(at + 8 * place, np.int64(number))
    write(at + 8 * NUMBERS, factor)
    write(at + 8 * NUMBERS + 8, scale)
    run(gate, entry(room, SERVE), room, threads)
    release(gate)
    return True


@inner
def few(columns: int, depth: int, rows: int, like: Any, room: int) -> bool:
    """Whether so few columns are sooner made as dot products, along vectors of the depth, than as tiles.

    A tile takes as long as if its vectors were full, and with one vector, not full, a quarter more, since it waits for loads; a
    dot product as long as if it were deeper, and turning b as some rows more. An a of up to two blocks is near.
    """
    lanes, near = lanes_of(like), rows * depth * size_of(like) <= 2 * entry(room, FAR_BYTES)
    alone = columns <= lanes and columns < entry(room, LANES)
    quarters = 5 * lanes if alone else 4 * pieces(columns, lanes) * lanes
    most = FEW_VECTORS * lanes if near else FEW_IF_FAR
    dots = 4 * columns * (depth + entry(room, DOT_EXTRA)) * (rows + TURNING_ROWS)
    return columns <= most and dots < quarters * depth * rows


NUMBERS = 14
"""Whole numbers of a product that is shared, before its two factors."""


def served(zero: Any, one: Any) -> Any:
    """The function that is compiled for each dtype, that of `zero` and `one`."""

    def serve(room, thread):  # type: ignore[no-untyped-def]
        """A thread's part in the product that is told at the head of a workspace."""
        at = room + PLAN_BYTES
        call(
            entry(at, 0), entry(at, 1), entry(at, 2), entry(at, 3), entry(at, 4), entry(at, 5), entry(at, 6), entry(at, 7),
            entry(at, 8), entry(at, 9), entry(at, 10), entry(at, 11), entry(at, 12), room, thread, entry(at, 13),
            read(at + 8 * NUMBERS, zero), read(at + 8 * NUMBERS + 8, zero), zero, one,
        )  # fmt: skip

    return serve
