"""The gradient of one column of many weights, in one pass over the rows at the memory's speed.

Rows are visited in random order and each begins a page, so that the CPU foresees none of them. Eight rows are multiplied with the
weights and then added to the gradient, while the eight after them are prefetched: into L2, since eight rows, weights and sums
are all that L1 can hold. Weights and sums are loaded once for eight rows.

Numba inlines functions that take arrays (``inline="always"``): LLVM would leave the calls in place, and numba's counting of
references with them.
"""

from __future__ import annotations

from typing import Any

from kernels.jit.simd import add, four_totals, load, load_some, multiply_add, prefetch, splat, store, store_some, total
from minisgd.steps.compiled import LANES, Array, compiled, link

ROWS = 8
"""In two fours."""


@compiled()
def add_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, start: int, stop: int, ahead: int, scale: float,
    logistic: bool, sums: Array,
) -> None:  # fmt: skip
    """Add the gradient of the visits `start` to `stop` to the first d sums, and the bias's to the last.

    The visits from `ahead` on are prefetched at the end.
    """
    one, d, flat = x.dtype.type(1), x.shape[1], x.reshape(-1)
    whole = stop - (stop - start) % ROWS
    for at in range(start, whole, ROWS):
        following = at + ROWS if at + ROWS < whole else ahead
        rows, rows4 = four(order, at, d), four(order, at + 4, d)
        z, z4 = dots(flat, d, weights, rows, rows4, four(order, following, d))
        r = residuals(z, y, order, at, bias[0], scale, one, logistic)
        r4 = residuals(z4, y, order, at + 4, bias[0], scale, one, logistic)
        add_eight(flat, d, rows, rows4, r, r4, sums, four(order, following + 4, d))
        sums[d, 0] += r[0] + r[1] + r[2] + r[3] + r4[0] + r4[1] + r4[2] + r4[3]
    for row in order[whole:stop]:
        factor = (link(bias[0] + row_dot(flat, row * d, weights, d), one, logistic) - y[row, 0]) * scale
        add_row(factor, flat, row * d, sums, d)
        sums[d, 0] += factor


@compiled(inline="always")
def four(order: Array, at: int, d: int) -> tuple[int, int, int, int]:
    """Where the rows of four visits begin, from visit `at` on; the last four of the epoch where fewer are left."""
    at = min(at, len(order) - 4)
    return order[at] * d, order[at + 1] * d, order[at + 2] * d, order[at + 3] * d


@compiled(inline="always")
def residuals(z: Any, y: Array, order: Array, at: int, bias: float, scale: float, one: float, logistic: bool) -> Any:
    """Of four visits, times `scale`, from their rows' products with the weights."""
    return (
        (link(z[0] + bias, one, logistic) - y[order[at], 0]) * scale,
        (link(z[1] + bias, one, logistic) - y[order[at + 1], 0]) * scale,
        (link(z[2] + bias, one, logistic) - y[order[at + 2], 0]) * scale,
        (link(z[3] + bias, one, logistic) - y[order[at + 3], 0]) * scale,
    )


@compiled()
def prefetch_four(flat: Array, rows: Any, i: int) -> None:
    """Prefetch a vector of each of four rows."""
    prefetch(flat, rows[0] + i, LANES)
    prefetch(flat, rows[1] + i, LANES)
    prefetch(flat, rows[2] + i, LANES)
    prefetch(flat, rows[3] + i, LANES)


@compiled(inline="always")
def dots(flat: Array, d: int, weights: Array, rows: Any, rows4: Any, following: Any) -> Any:
    """Dot products of two fours of rows with the weights; the following four are prefetched."""
    none = splat(flat.dtype.type(0), LANES)
    z = z4 = (none, none, none, none)
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        prefetch_four(flat, following, i)
        w = load(weights, i, LANES)
        z, z4 = add_products(w, flat, rows, i, LANES, z), add_products(w, flat, rows4, i, LANES, z4)
    if whole < d:
        w = load_some(weights, whole, LANES, d - whole)
        z, z4 = add_products(w, flat, rows, whole, d - whole, z), add_products(w, flat, rows4, whole, d - whole, z4)
    return four_totals(z[0], z[1], z[2], z[3]), four_totals(z4[0], z4[1], z4[2], z4[3])


@compiled()
def add_products(w: Any, flat: Array, rows: Any, i: int, count: int, z: Any) -> Any:
    """Four sums with a vector of weights times one of each row added, or only its first `count` elements."""
    return (
        multiply_add(w, load_some(flat, rows[0] + i, LANES, count), z[0]),
        multiply_add(w, load_some(flat, rows[1] + i, LANES, count), z[1]),
        multiply_add(w, load_some(flat, rows[2] + i, LANES, count), z[2]),
        multiply_add(w, load_some(flat, rows[3] + i, LANES, count), z[3]),
    )


@compiled(inline="always")
def add_eight(flat: Array, d: int, rows: Any, rows4: Any, r: Any, r4: Any, sums: Array, following: Any) -> None:
    """Sums += two fours of rows, each times its residual; the following four are prefetched."""
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        prefetch_four(flat, following, i)
        some = weighted(flat, rows, i, LANES, r, load(sums, i, LANES))
        store(sums, i, weighted(flat, rows4, i, LANES, r4, some))
    if whole < d:
        some = weighted(flat, rows, whole, d - whole, r, load_some(sums, whole, LANES, d - whole))
        store_some(sums, whole, weighted(flat, rows4, whole, d - whole, r4, some), d - whole)


@compiled()
def weighted(flat: Array, rows: Any, i: int, count: int, r: Any, addend: Any) -> Any:
    """A vector of each of four rows, or its first `count` elements, times the row's residual, added to the addend."""
    addend = multiply_add(r[0], load_some(flat, rows[0] + i, LANES, count), addend)
    addend = multiply_add(r[1], load_some(flat, rows[1] + i, LANES, count), addend)
    addend = multiply_add(r[2], load_some(flat, rows[2] + i, LANES, count), addend)
    return multiply_add(r[3], load_some(flat, rows[3] + i, LANES, count), addend)


@compiled()
def row_dot(flat: Array, start: int, weights: Array, d: int) -> float:
    """Dot product of a row with the weights; two sums hide half of the latency."""
    even = odd = splat(flat.dtype.type(0), LANES)
    whole = d - d % (2 * LANES)
    for i in range(0, whole, 2 * LANES):
        even = multiply_add(load(flat, start + i, LANES), load(weights, i, LANES), even)
        odd = multiply_add(load(flat, start + i + LANES, LANES), load(weights, i + LANES, LANES), odd)
    for i in range(whole, d, LANES):
        even = multiply_add(load_some(flat, start + i, LANES, d - i), load_some(weights, i, LANES, d - i), even)
    return total(add(even, odd))


@compiled()
def add_row(factor: float, flat: Array, start: int, sums: Array, d: int) -> None:
    """Sums += factor times a row."""
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        store(sums, i, multiply_add(factor, load(flat, start + i, LANES), load(sums, i, LANES)))
    for i in range(whole, d):  # a masked store would hold up the load of the next row's turn
        sums[i, 0] += factor * flat[start + i]
