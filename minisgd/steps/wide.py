"""The gradient of one column of many weights, in one pass over the rows at the memory's speed.

Rows are visited in random order and each begins a page, so that the CPU foresees none of them. Eight rows are multiplied with the
weights and then added to the gradient, while the eight after them are asked for: into the second level, since eight rows, weights
and sums are all that the first can hold. Weights and sums are loaded once for eight rows.

Numba inlines what takes arrays (``inline="always"``): LLVM leaves the calls in place, and the counting of references.
"""

from __future__ import annotations

from typing import Any

from kernels.simd import load, multiply_add, prefetch, splat, store, total
from minisgd.steps.compiled import Array, compiled, link

LANES = 16
"""Of the vectors that stream over wide rows: a cache line of float32."""

ROWS = 8
"""In two fours."""


@compiled()
def add_rows(
    x: Array, y: Array, weights: Array, bias: Array, order: Array, start: int, stop: int, ahead: int, scale: float,
    logistic: bool, sums: Array,
) -> None:  # fmt: skip
    """Add the gradient of the visits `start` to `stop` to the first d sums, and the bias's to the last.

    The visits from `ahead` on are asked for at the end.
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
def ask_for(flat: Array, rows: Any, i: int) -> None:
    """Prefetch a vector of each of four rows."""
    prefetch(flat, rows[0] + i, LANES)
    prefetch(flat, rows[1] + i, LANES)
    prefetch(flat, rows[2] + i, LANES)
    prefetch(flat, rows[3] + i, LANES)


@compiled(inline="always")
def dots(flat: Array, d: int, weights: Array, rows: Any, rows4: Any, following: Any) -> Any:
    """Dot products of two fours of rows with the weights; the following four are asked for."""
    none = splat(flat.dtype.type(0), LANES)
    z = z4 = (none, none, none, none)
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        ask_for(flat, following, i)
        w = load(weights, i, LANES)
        z, z4 = add_products(w, flat, rows, i, z), add_products(w, flat, rows4, i, z4)
    return totals(z, flat, rows, weights, whole, d), totals(z4, flat, rows4, weights, whole, d)


@compiled()
def add_products(w: Any, flat: Array, rows: Any, i: int, z: Any) -> Any:
    """Four sums with a vector of weights times one of each row added."""
    return (
        multiply_add(w, load(flat, rows[0] + i, LANES), z[0]),
        multiply_add(w, load(flat, rows[1] + i, LANES), z[1]),
        multiply_add(w, load(flat, rows[2] + i, LANES), z[2]),
        multiply_add(w, load(flat, rows[3] + i, LANES), z[3]),
    )


@compiled(inline="always")
def totals(z: Any, flat: Array, rows: Any, weights: Array, whole: int, d: int) -> Any:
    """Four dot products from their sums in lanes, and the columns from `whole` on."""
    a, b, c, e = total(z[0]), total(z[1]), total(z[2]), total(z[3])
    for i in range(whole, d):
        a += weights[i, 0] * flat[rows[0] + i]
        b += weights[i, 0] * flat[rows[1] + i]
        c += weights[i, 0] * flat[rows[2] + i]
        e += weights[i, 0] * flat[rows[3] + i]
    return a, b, c, e


@compiled(inline="always")
def add_eight(flat: Array, d: int, rows: Any, rows4: Any, r: Any, r4: Any, sums: Array, following: Any) -> None:
    """Sums += two fours of rows, each times its residual; the following four are asked for."""
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        ask_for(flat, following, i)
        store(sums, i, weighted(flat, rows4, i, r4, weighted(flat, rows, i, r, load(sums, i, LANES))))
    for i in range(whole, d):
        sums[i, 0] += weighted_number(flat, rows, i, r) + weighted_number(flat, rows4, i, r4)


@compiled()
def weighted(flat: Array, rows: Any, i: int, r: Any, addend: Any) -> Any:
    """A vector of each of four rows, times its residual, added to the addend."""
    addend = multiply_add(r[1], load(flat, rows[1] + i, LANES), multiply_add(r[0], load(flat, rows[0] + i, LANES), addend))
    return multiply_add(r[3], load(flat, rows[3] + i, LANES), multiply_add(r[2], load(flat, rows[2] + i, LANES), addend))


@compiled(inline="always")
def weighted_number(flat: Array, rows: Any, i: int, r: Any) -> float:
    """The same of a single column, added to nothing."""
    return r[0] * flat[rows[0] + i] + r[1] * flat[rows[1] + i] + r[2] * flat[rows[2] + i] + r[3] * flat[rows[3] + i]


@compiled()
def row_dot(flat: Array, start: int, weights: Array, d: int) -> float:
    """Dot product of a row with the weights."""
    z = splat(flat.dtype.type(0), LANES)
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        z = multiply_add(load(flat, start + i, LANES), load(weights, i, LANES), z)
    product = total(z)
    for i in range(whole, d):
        product += flat[start + i] * weights[i, 0]
    return product


@compiled()
def add_row(factor: float, flat: Array, start: int, sums: Array, d: int) -> None:
    """Sums += factor times a row."""
    whole = d - d % LANES
    for i in range(0, whole, LANES):
        store(sums, i, multiply_add(factor, load(flat, start + i, LANES), load(sums, i, LANES)))
    for i in range(whole, d):
        sums[i, 0] += factor * flat[start + i]
