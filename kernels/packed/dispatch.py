"""Which loops make a product, and on how many threads: decided in compiled code, so that a small product costs one call.

The loops are called by their address. So they are compiled once, and not again in each function that calls them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.jit.caching import inner
from kernels.jit.memory import lanes_of, size_of
from kernels.jit.pointers import call
from kernels.jit.records import address_of
from kernels.jit.tasks import begin
from kernels.packed.choices import ELEMENT, FEW_FROM_MEMORY, FEW_VECTORS, LONG_ROW_BYTES, TRANSPOSING_ROWS
from kernels.packed.cut import straddles
from kernels.packed.loops import direct
from kernels.packed.plan import PRODUCT_AT, ceil_div, counters, plan_at, product_at
from kernels.packed.pool import workers


def multiply(a, b, c, alpha, beta, workspace, threads):  # type: ignore[no-untyped-def]
    """Make c = alpha a b + beta c, and return True; or False, and nothing is done, if threads or workspace are missing.

    Parameters
    ----------
    a, b, c : (m, n), (n, p) and (m, p) arrays
        Of one dtype; c overlaps neither a nor b.
    alpha, beta : float64
    workspace : int
        The address of a workspace, with the plan at its head.
    threads : int
        0 for as many as numba is set to, where they pay: then False, if the pool or the workspace has fewer.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    m, n, p = a.shape[0], a.shape[1], b.shape[1]
    factor, scale = a.dtype.type(alpha), a.dtype.type(beta)
    plan, product = plan_at(workspace, factor), product_at(workspace + PRODUCT_AT, factor)
    if b.shape[0] != n or c.shape[0] != m or c.shape[1] != p:
        raise ValueError("expected a (m, n), b (n, p) and out (m, p)")
    if m == 0 or p == 0:
        return True
    if n == 0 or factor == 0:
        return scale_by(c, scale)
    if threads == 0:
        threads = choose_threads(plan, m * n * p + ELEMENT * (m * n + n * p + m * p))
        if threads == 0:
            return False
    if threads > 1 and not workers.acquire(plan.pool):  # another product has it
        threads = 1

    # Numba has addresses unsigned, and makes a float of the sum of an unsigned and a signed integer.
    product.a.at, product.b.at, product.c.at = np.int64(a.ctypes.data), np.int64(b.ctypes.data), np.int64(c.ctypes.data)
    product.a.row, product.a.column = a.strides
    product.b.row, product.b.column = b.strides
    product.c.row, product.c.column = c.strides
    product.m, product.n, product.p, product.threads = m, n, p, threads
    product.alpha, product.beta = factor, scale
    if is_better_transposed(plan, product):
        transpose_product(product)
    if is_few_columns(plan, product):
        return run(plan, product, plan.few_columns)
    if is_one_long_row(plan, product):
        return run(plan, product, plan.one_row)
    if is_direct(plan, product):
        return direct(plan, product)
    return run(plan, product, plan.blocked)


@inner
def choose_threads(plan: Any, work: int) -> int:
    """As many threads as numba is set to, or 1 if more do not pay; 0 if the pool or the workspace has fewer."""
    if work <= plan.serial:
        return 1
    threads = workers.threads_available(plan.pool)
    if threads <= 1 or threads > plan.threads:
        return 1 if threads == 1 else 0
    return threads if workers.worth_waking(plan.pool, work) else 1


@inner
def scale_by(c: Any, scale: Any) -> bool:
    """Make c = scale c; it is not read if that is 0."""
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] = scale * c[i, j] if scale != 0 else scale
    return True


@inner
def transpose_product(product: Any) -> None:
    """Make it c' = b' a'."""
    a, b, c = product.a, product.b, product.c
    a_at, a_row, a_column = a.at, a.row, a.column
    a.at, a.row, a.column = b.at, b.column, b.row
    b.at, b.row, b.column = a_at, a_column, a_row
    c.row, c.column = c.column, c.row
    product.m, product.p = product.p, product.m


@inner
def is_better_transposed(plan: Any, product: Any) -> bool:
    """Whether c' = b' a' is read and written along rows where c = a b is not, or its few columns can be dot products."""
    m, n, p, size, a, b, c = product.m, product.n, product.p, size_of(product.alpha), product.a, product.b, product.c
    if p == 1 and (a.column != size or n == 1):
        return True
    if m == 1 and p > 1 and b.column != size:
        return True
    if b.row == size and b.column != size and pays_as_dots(plan, m, n, p, product.alpha):
        return True
    return m > 1 and p > 1 and c.column != size and c.row == size


@inner
def is_few_columns(plan: Any, product: Any) -> bool:
    """Whether c is made of dot products of a's rows with b's columns."""
    m, n, p = product.m, product.n, product.p
    return product.a.column == size_of(product.alpha) and (p == 1 or pays_as_dots(plan, p, n, m, product.alpha))


@inner
def pays_as_dots(plan: Any, columns: int, depth: int, rows: int, like: Any) -> bool:
    """Whether so few columns are made sooner as dot products, along vectors of the depth, than as microtiles.

    A microtile costs what full vectors would, and a quarter more with a single vector that is not full, since it waits for loads.
    A dot product costs `dot_extra` more of the depth, and transposing b `TRANSPOSING_ROWS` more rows. An a of up to two blocks is
    taken to be in a cache.
    """
    lanes, in_cache = lanes_of(like), rows * depth * size_of(like) <= 2 * plan.l3_from_bytes
    alone = columns <= lanes and columns < plan.lanes
    quarters = 5 * lanes if alone else 4 * ceil_div(columns, lanes) * lanes
    most = FEW_VECTORS * lanes if in_cache else FEW_FROM_MEMORY
    dots = 4 * columns * (depth + plan.dot_extra) * (rows + TRANSPOSING_ROWS)
    return columns <= most and dots < quarters * depth * rows


@inner
def is_one_long_row(plan: Any, product: Any) -> bool:
    """Whether c is one row, made of sums of b's rows: b comes from beyond L1, and its rows are long."""
    size, b = size_of(product.alpha), product.b
    long_rows = product.n * product.p * size > plan.direct_bytes and abs(b.row) >= LONG_ROW_BYTES
    return product.m == 1 and b.column == size and product.c.column == size and long_rows


@inner
def is_direct(plan: Any, product: Any) -> bool:
    """Whether one thread makes the product without packing; see `loops.direct` for what that assumes."""
    size, b, n = size_of(product.alpha), product.b, product.n
    bytes_ = n * product.p * size
    contiguous = product.a.column == size and b.column == size and product.c.column == size
    fits = bytes_ <= plan.direct_bytes and n <= plan.kc
    return contiguous and fits and product.threads == 1 and not straddles(plan, b, bytes_)


@inner
def run(plan: Any, product: Any, loops: int) -> bool:
    """Call the loops at an address, on the product's threads; if these are several, it has the pool, and gives it back."""
    for part in range(product.threads):
        begin(counters(plan, part))
    if product.threads == 1:
        call(loops, plan, product, 0)
        return True
    product.loops = loops
    workers.run(plan.pool, plan.serve, address_of(plan), product.threads)
    workers.release(plan.pool)
    return True


def served(like: Any) -> Any:
    """The function that the pool's threads call for products of the dtype of `like`."""

    def serve(workspace, thread):  # type: ignore[no-untyped-def]
        """A thread's part in the product that is at the head of a workspace."""
        product = product_at(workspace + PRODUCT_AT, like)
        call(product.loops, plan_at(workspace, like), product, thread)

    return serve
