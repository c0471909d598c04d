"""Every rung in numba-cuda's simulator, held to what every kernel is; run by test_cuda.py in a process of its own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from simulator import operand, simulate

from kernels.accuracy import bound, error
from kernels.cuda.block import block
from kernels.cuda.columnwise import columnwise
from kernels.cuda.elementwise import elementwise
from kernels.cuda.full.blocking import BLOCKINGS, Blocking, lanes
from kernels.cuda.full.stages import STAGES, whole
from kernels.cuda.full.tensor_cores import DEPTH, HIGH, WIDE, tensor_cores
from kernels.cuda.rowwise import rowwise
from kernels.cuda.tiled import tiled
from kernels.dtypes import rounded
from kernels.testing.layouts import c, fortran, strided

SMALL = Blocking(32, 32, 8, 4, 4)
"""Two warps a block, where the usual tiles have eight: a thread of the simulator takes half a millisecond to start."""

DTYPES = ("float32", "float64")
LAYOUTS = [(c, c, c), (fortran, strided, c), (strided, c, fortran), (c, fortran, strided)]


def around(edge):
    return edge - 1, edge, edge + 1


def shapes(m, n, p):
    """None, one, and around an edge in each direction in turn, the others odd."""
    some = [(0, 3, 5), (3, 0, 5), (3, 5, 0), (1, 1, 1)]
    return some + [(i, 3, 1) for i in around(m)] + [(3, k, 1) for k in around(n)] + [(1, 3, j) for j in around(p)]


RUNGS = {
    "elementwise": (elementwise, (), shapes(16, 2, 16)),
    "rowwise": (rowwise, (), shapes(2, 2, 256)),
    "columnwise": (columnwise, (), shapes(256, 2, 2)),
    "block": (block, (64,), shapes(8, 16, 64)),
    "block of 7": (block, (7,), [(3, 5, 9)]),
    "block of 300": (block, (300,), [(3, 5, 9)]),
    "tiled": (tiled, (8, 8, 8), shapes(8, 8, 8)),
    "tiled tall": (tiled, (9, 4, 2), [(11, 5, 7)]),
    "tiled wide": (tiled, (2, 3, 9), [(7, 5, 11)]),
    "tiled as usual": (tiled, tuple(tiled.tile.values()), [(33, 31, 35)]),
}


def product(made, dtype, m, n, p, sizes=(), layouts=(c, c, c)):
    """Inputs, and the product by a kernel into a poisoned `out`; the inputs are what they were."""
    random = np.random.default_rng([m, n, p])
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p)))
    laid = [layout(x.copy()) for layout, x in zip(layouts, (a, b, np.full((m, p), np.nan, dtype)), strict=True)]
    simulate(made, *laid, *sizes)
    np.testing.assert_array_equal(laid[0], a)
    np.testing.assert_array_equal(laid[1], b)
    return a, b, laid[2]


@pytest.mark.parametrize("name", RUNGS)
def test_every_size_layout_and_dtype_is_within_the_bound(name):
    made, sizes, chosen = RUNGS[name]
    turns = itertools.cycle(itertools.product(LAYOUTS, DTYPES))
    for shape, (layouts, dtype) in zip(chosen, turns, strict=False):
        assert error(*product(made, dtype, *shape, sizes, layouts)) <= bound(shape[1], dtype), (shape, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_is_within_the_bound_at_its_edges(stage, dtype):
    width = lanes(dtype)
    vectors, elements = (stage.rung(dtype, copied, SMALL) for copied in (width, 1))
    shapes = [(64, 16, 32)]
    if stage.guarded:
        shapes += [(33, 8 + width, 32 + width), (31, 8, 32 - width), (1, width, width), (5, 0, width), (0, width, width)]
        for shape, layouts in zip([(33, 9, 31), (31, 7, 33), (1, 1, 1)], LAYOUTS[1:], strict=True):
            assert error(*product(elements, dtype, *shape, layouts=layouts)) <= bound(shape[1], dtype), shape
    for shape in shapes:
        assert error(*product(vectors, dtype, *shape)) <= bound(shape[1], dtype), shape


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_last_stage_with_its_own_tiles(dtype):
    blocking = BLOCKINGS[dtype]
    a, b, out = product(STAGES[-1].rung(dtype, lanes(dtype)), dtype, blocking.rows, 2 * blocking.depth, blocking.columns)
    assert error(a, b, out) <= bound(a.shape[1], dtype)


def bits(values):
    """Float32 that bfloat16 holds, as its bits."""
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def spread(x):
    """Elements apart both ways."""
    return np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3]


ONE, TWO = (1, 1), (2, 1)
"""Warps of a block, down and across."""


@pytest.mark.parametrize(
    ("copied", "warps", "shape", "layouts"),
    [
        (8, TWO, (2 * HIGH, 2 * DEPTH, WIDE), (c, c, c)),
        (8, ONE, (3, DEPTH + 8, WIDE + 8), (c, c, c)),
        (8, ONE, (HIGH + 1, DEPTH - 8, WIDE - 8), (c, c, c)),
        (8, ONE, (3, 0, 8), (c, c, c)),
        (1, TWO, (2 * HIGH - 1, DEPTH + 1, WIDE - 1), (fortran, spread, c)),
        (1, TWO, (1, 1, 1), (spread, c, fortran)),
    ],
)
def test_tensor_cores_are_within_the_bound_at_the_edges(copied, warps, shape, layouts):
    m, n, p = shape
    random = np.random.default_rng([m, n, p])
    a, b = (rounded(random.standard_normal(shape).astype(np.float32), "bfloat16") for shape in ((m, n), (n, p)))
    operands = bits(a), bits(b), np.full((m, p), 0x7FC0, np.uint16)
    laid = [layout(x) for layout, x in zip(layouts, operands, strict=True)]
    simulate(tensor_cores(copied, *warps), *laid)
    out = (laid[2].astype(np.uint32) << 16).view(np.float32)
    assert error(a, b, out) <= bound(n, "bfloat16")


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize("name", ["rowwise", "block", "tiled", "vectors", "elements"])
def test_infinities_and_nans_spread_as_in_numpy(name):
    made, sizes, _ = (
        RUNGS[name] if name in RUNGS else (STAGES[-2].rung("float32", {"vectors": 4, "elements": 1}[name], SMALL), (), ())
    )
    random = np.random.default_rng(1)
    a, b = (random.standard_normal(shape).astype(np.float32) for shape in ((9, 12), (12, 16)))
    a[3, 5], b[5, 2], a[4, 0], a[0, 11], b[11, 15] = np.inf, 0, np.nan, -np.inf, np.nan
    out = np.full((9, 16), np.nan, np.float32)
    simulate(made, a, b, out, *sizes)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.where(finite, 0, expected), np.where(np.isfinite(out), 0, out))


def test_what_fits_is_told_from_what_does_not():
    rows, columns, depth, *_ = BLOCKINGS["float32"]
    fitting = np.empty((rows, depth), np.float32), np.empty((depth, columns), np.float32), np.empty((rows, columns), np.float32)
    room = np.empty(rows * (depth + 4) + 4, np.float32)
    room = room[(-room.ctypes.data // 4) % 4 :]
    wider = room[: rows * (depth + 4)].reshape(rows, -1)
    for a, fits in (
        (fitting[0], True),
        (wider[:, :depth], True),
        (wider[:, 1 : depth + 1], False),
        (np.asfortranarray(fitting[0]), False),
    ):
        assert whole("float32", *map(operand, (a, *fitting[1:]))) == fits
    short = np.empty((rows, depth - 4), np.float32), np.empty((depth - 4, columns), np.float32), fitting[2]
    assert not whole("float32", *map(operand, short))


@pytest.mark.parametrize(
    ("made", "sizes"), [(block, (0,)), (block, (385,)), (tiled, (64, 1, 64)), (tiled, (32, 128, 32)), (tiled, (1, 0, 1))]
)
def test_a_tile_that_no_block_can_have_is_refused(made, sizes):
    with pytest.raises(ValueError, match=r"^(width|tile): expected .* got .*\d"):
        made.grid(1, 1, *sizes)
