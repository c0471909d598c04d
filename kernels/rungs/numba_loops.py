"""The textbook's rungs as compiled loops: the same three loops throughout, and only their order and tiling differ.

`contract` lets the compiler fuse a multiplication and an addition; `reassoc` and `nsz` let it sum in SIMD lanes.
Nothing may assume finite values: infinities and NaN spread as in numpy.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
from numpy.typing import NDArray

from kernels.jit.caching import cached
from kernels.jit.parallel import entrance
from kernels.jit.scratch import long_rows, scratch
from kernels.registry import kernel
from kernels.rungs.loop_tiles import loop_tile

# A parallel loop starts in 2 us on OpenMP and in 137 us on numba's workqueue, which also cannot be entered by two
# threads at once (numba manual, "The Threading Layers"). NUMBA_THREADING_LAYER still overrides this order.
numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]

Vector = NDArray[Any]
Matrix = NDArray[Any]
rung = partial(kernel, "numba", compiles=True)
compiled = partial(cached, fastmath={"contract", "reassoc", "nsz"})


@rung("elementwise")
@cached()
def elementwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """i, j, k as the textbook has it: a sum waits 4 cycles for the one before, and b is read down its columns."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = out.dtype.type(0)
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            out[i, j] = total


@compiled()
def add_multiple(target: Vector, factor: float, row: Vector) -> None:
    """Target += factor row, over contiguous memory in SIMD lanes."""
    for j in range(len(row)):
        target[j] += factor * row[j]


@rung("rowwise")
@compiled()
def rowwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """i, k, j: a row of out gathers rows of b, so that all reads are in order and fill SIMD lanes."""
    out[...] = 0
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            add_multiple(out[i], a[i, k], b[k])


@rung("columnwise")
@compiled()
def columnwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """j, i, k: a column of b is gathered once, then serves m dot products in SIMD lanes from the first-level cache."""
    column = scratch((b.shape[0],), b.dtype)
    for j in range(b.shape[1]):
        for k in range(b.shape[0]):
            column[k] = b[k, j]
        for i in range(a.shape[0]):
            total = out.dtype.type(0)
            for k in range(a.shape[1]):
                total += a[i, k] * column[k]
            out[i, j] = total


@compiled()
def gather(b: Matrix, k0: int, k1: int, j0: int, j1: int, columns: Matrix) -> None:
    """Copy a tile of b so that its columns lie in memory one after another, row j of `columns` being column j0 + j."""
    for k in range(k1 - k0):
        for j in range(j1 - j0):
            columns[j, k] = b[k0 + k, j0 + j]


@compiled()
def four_dots(row: Vector, columns: Matrix, j: int) -> tuple[float, float, float, float]:
    """Dot products of a row with four columns at once: each element of the row is loaded once for four multiply-adds."""
    t0 = t1 = t2 = t3 = columns.dtype.type(0)
    for k in range(len(row)):
        t0 += row[k] * columns[j, k]
        t1 += row[k] * columns[j + 1, k]
        t2 += row[k] * columns[j + 2, k]
        t3 += row[k] * columns[j + 3, k]
    return t0, t1, t2, t3


@rung("block", tile={"width": 64})
@compiled()
def block(a: Matrix, b: Matrix, out: Matrix, width: int) -> None:
    """A slab of b's columns is gathered once and stays in cache while every row of a passes by, four columns at a time."""
    n, p = b.shape
    columns = long_rows(width + 3, n, b)  # the last four of a slab may reach over its end
    for j0 in range(0, p, width):
        j1 = min(j0 + width, p)
        gather(b, 0, n, j0, j1, columns)
        for i in range(a.shape[0]):
            for j in range(0, j1 - j0, 4):
                totals = four_dots(a[i], columns, j)
                for c in range(min(4, j1 - j0 - j)):
                    out[i, j0 + j + c] = totals[c]


@rung("tiled", threads=True, tile=loop_tile)
def tiled(a: Matrix, b: Matrix, out: Matrix, tm: int, tn: int, tp: int) -> None:
    """Tiles in all three dimensions, added up over n; bands of rows are independent, so each thread takes its own.

    A band is no taller than a thread's share, or there would be nothing to share. That is reckoned out here because numba
    does not cache compiled code that asks for the number of threads.
    """
    share = -(-out.shape[0] // numba.get_num_threads())
    with entrance():
        tiled_bands(a, b, out, max(1, min(tm, share)), tn, tp)


@compiled(parallel=True)
def tiled_bands(a: Matrix, b: Matrix, out: Matrix, tm: int, tn: int, tp: int) -> None:
    """Bands of tm rows; in each, a tile of b is gathered and serves all the band's rows."""
    m, n = a.shape
    p = b.shape[1]
    for band in numba.prange((m + tm - 1) // tm):
        i0, i1 = band * tm, min((band + 1) * tm, m)
        out[i0:i1, :] = 0
        columns = long_rows(min(tp, p) + 3, min(tn, n), b)
        for j0 in range(0, p, tp):
            j1 = min(j0 + tp, p)
            for k0 in range(0, n, tn):
                k1 = min(k0 + tn, n)
                gather(b, k0, k1, j0, j1, columns)
                for i in range(i0, i1):
                    for j in range(0, j1 - j0, 4):
                        totals = four_dots(a[i, k0:k1], columns, j)
                        for c in range(min(4, j1 - j0 - j)):
                            out[i, j0 + j + c] += totals[c]
