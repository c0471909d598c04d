from __future__ import annotations

import itertools
import sys
import threading

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from workspaces import Guarded

import kernels
from kernels.accuracy import bound
from kernels.arrays import LIBRARIES
from kernels.cpu.caches import caches
from kernels.cpu.tiles import register_tile
from kernels.cpu.vectors import vectors
from kernels.jit.memory import size_of
from kernels.jit.pointers import call
from kernels.jit.tasks import begin
from kernels.packed import gemm
from kernels.packed.choices import FEW_FROM_MEMORY, FEW_VECTORS, SCATTERED_BYTES, blocking
from kernels.packed.cut import DEPTH_A_THREAD, cut_depth, sums_of
from kernels.packed.dispatch import pays_as_dots
from kernels.packed.gemm import compiled, workspace
from kernels.packed.microkernel import MAX_NR, UNROLLED
from kernels.packed.plan import PRODUCT_AT, block_of, counters, plan_at, product_at
from kernels.testing.layouts import unaligned

GEMM = sys.modules[compiled.__module__]
RANDOM = np.random.default_rng(0)
WIDTH, ROWS = register_tile(vectors().lanes(4), vectors())
DEPTH = blocking("float32").kc
AROUND = {  # sizes around a tile's rows and width, and a kc panel's depth
    "m": (1, ROWS - 1, ROWS, MAX_NR, MAX_NR + 1, 3 * ROWS + 2),
    "n": (1, 2, 3, DEPTH - 1, DEPTH, DEPTH + 1, DEPTH + 80),
    "p": (1, WIDTH // 2, WIDTH // 2 + 1, WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH + 2),
}


@pytest.fixture(autouse=True)
def guarded_workspaces(monkeypatch):
    """Every thread begins with a new workspace, and in none is anything written out of place."""
    made = []

    def guarded(plan, threads):
        made.append(Guarded(plan, threads))
        return made[-1].memory

    monkeypatch.setattr(GEMM, "workspace", guarded)
    monkeypatch.setattr(GEMM, "_caller", GEMM._Caller())
    yield
    assert [place for each in made for place in each.overrun()] == []


def operands(m, n, p, dtype="float32"):
    return tuple(RANDOM.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p), (m, p)))


def check(a, b, out, alpha=1.0, beta=0.0):
    """One call, against float64, within the derived bound of what is added up."""
    before = out.astype(np.float64)
    gemm(a, b, out, alpha, beta)
    wide = [x.astype(np.float64) for x in (a, b)]
    expected = alpha * (wide[0] @ wide[1]) + (beta * before if beta else 0)
    size = abs(alpha) * (abs(wide[0]) @ abs(wide[1])) + (abs(beta * before) if beta else 0)
    allowed = bound(a.shape[1] + 3, a.dtype.name) * size
    assert np.all(np.abs(out - expected) <= allowed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [2, 3, 4, 5, 6, 7, 9, 13])
def test_a_few_columns_or_rows_however_they_lie(columns, dtype):
    """Dot products, mostly, with up to six columns at a time; of the last shape the columns are packed in several panels."""
    depth_of_panels = 3 * blocking(dtype).kc * blocking(dtype).mc // columns
    for m, n in ((15, 70), (16, 64), (75, 131), (1501, 200), (17, depth_of_panels)):
        a, b, out = operands(m, n, columns, dtype)
        wide = RANDOM.standard_normal((n, 2 * columns)).astype(dtype)
        for laid in (b, np.asfortranarray(b), wide[:, ::2], b[::-1]):
            check(a, laid, out, alpha=1.5, beta=-0.5)
            check(laid.T, a.T, out.T.copy(), alpha=1.5, beta=-0.5)
            check(a, laid, np.asfortranarray(out))


@njit
def chosen(columns, depth, rows, like, workspace):
    return pays_as_dots(plan_at(workspace, like), columns, depth, rows, like)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_columns_are_dot_products_where_the_plan_has_them_cheaper(dtype):
    """By plans of given costs: what this CPU's own plan says is measured, not tested."""
    own, lanes, far = compiled(np.dtype(dtype)).plan, vectors().whole_lanes(np.dtype(dtype).itemsize), 1 << 20

    def dots(columns, depth, rows, dot_extra):
        memory = workspace(own._replace(dot_extra=dot_extra, l3_from_bytes=far), 1)
        return chosen(columns, depth, rows, dtype(0), np.int64(memory.ctypes.data))

    rows, depth, never = 100, 300, 1 << 20
    free = -depth  # a dot product costs nothing
    assert all(dots(columns, depth, rows, free) for columns in (1, 2, lanes + 1, FEW_VECTORS * lanes))
    assert not dots(FEW_VECTORS * lanes + 1, depth, rows, free)
    assert not any(dots(columns, depth, rows, never) for columns in (1, 2, lanes + 1))
    rows_from_memory = 1 + 2 * far // (depth * np.dtype(dtype).itemsize)
    assert dots(FEW_FROM_MEMORY, depth, rows_from_memory, free)
    assert not dots(FEW_FROM_MEMORY + 1, depth, rows_from_memory, free)
    assert not dots(lanes, depth, 1, 0)  # b would be transposed for one row


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", range(1, 10))
def test_one_column_and_short_rows_however_they_lie(n, dtype):
    for m in (*range(1, 18), 1500):
        a, b, out = operands(m, n, 1, dtype)
        wide = RANDOM.standard_normal((m, n + 3)).astype(dtype)
        for laid, c in itertools.product((a, np.asfortranarray(a), wide[:, 3:], a[::-1]), (out, np.zeros((m, 2), dtype)[:, :1])):
            for column, beta in itertools.product((b, np.repeat(b, 2, axis=0)[::2]), (0.0, -0.5)):
                check(laid, column, c, alpha=1.5, beta=beta)
            check(b.T, laid.T, c.T, alpha=1.5, beta=-0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", list(itertools.product(*AROUND.values())))
def test_sizes_around_every_edge(shape, dtype):
    check(*operands(*shape, dtype))


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(*[st.integers(0, 130)] * 3), flips=st.tuples(*[st.integers(0, 7)] * 3),
    alpha=st.sampled_from([1.0, -0.5, 0.0]), beta=st.sampled_from([0.0, 1.0, 2.5]), dtype=st.sampled_from(["float32", "float64"]),
)  # fmt: skip
def test_blas_semantics_for_any_strides(shape, flips, alpha, beta, dtype):
    def view(x, flip):
        if flip & 1:
            x = np.asfortranarray(x)
        if flip & 2:
            room = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
            room[::2, ::3] = x
            x = room[::2, ::3]
        return x[::-1, ::-1] if flip & 4 else x

    check(*(view(x, flip) for x, flip in zip(operands(*shape, dtype), flips, strict=True)), alpha, beta)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(700, 500, 900), (1024, 257, 64), (97, 1000, 1021), (20, 3000, 40), (64, 64, 2049), (9, 400, 1003), (1103, 1001, 1),
              (1, 1001, 1103), (1, 203, 9001), (1, 250_000, 1), (3, 250_000, 2)]
)  # fmt: skip
def test_several_slabs_blocks_and_threads(shape, dtype):
    a, b, out = operands(*shape, dtype)
    wide = np.zeros((a.shape[0], max(a.shape[1], 1 + SCATTERED_BYTES // a.itemsize)), dtype)[:, : a.shape[1]]
    wide[...] = a  # rows far apart are packed
    for x, y in itertools.product((a, np.asfortranarray(a), wide), (b, np.asfortranarray(b))):
        check(x, y, out, 1.0, 1.0)
        check(x, y, np.asfortranarray(out))


@njit
def one_of(threads, thread, loops, m, n, p, a, b, b_row, b_column, c, workspace, one):
    """The part of a thread whose fellows never come."""
    plan, product, size = plan_at(workspace, one), product_at(workspace + PRODUCT_AT, one), size_of(one)
    product.m, product.n, product.p, product.threads, product.alpha, product.beta = m, n, p, threads, one, one - one
    product.a.at, product.a.row, product.a.column = a, n * size, size
    product.b.at, product.b.row, product.b.column = b, b_row, b_column
    product.c.at, product.c.row, product.c.column = c, p * size, size
    for part in range(threads):
        begin(counters(plan, part))
    call(loops, plan, product, thread)


def check_alone(plan, loops, a, b, out, thread, threads):
    """Check what one thread makes of a product that is shared with others."""
    guarded = Guarded(plan, threads)
    a_at, b_at, out_at, workspace_at = (np.int64(each.ctypes.data) for each in (a, b, out, guarded.memory))
    one_of(threads, thread, loops, *a.shape, b.shape[1], a_at, b_at, *b.strides, out_at, workspace_at, np.float32(1))
    assert np.allclose(out, a.astype(np.float64) @ b, atol=1e-3)
    assert guarded.overrun() == []


@njit
def sums(threads, m, n, row_bytes, workspace):
    """Into how many parts the depth is cut, and the bytes below the second part's sums in its block."""
    plan = plan_at(workspace, m)
    return cut_depth(plan, m, n, row_bytes, threads), sums_of(plan, 1, m, row_bytes) - block_of(plan, 1)


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("m", [1, 90, 1000, 5000, 60_000])
def test_parts_of_the_depth_have_their_sums_above_what_is_packed(m, threads):
    plan = compiled(np.dtype(np.float32)).plan
    memory, cut = workspace(plan, threads), []
    for width in (WIDTH, 60, 4 * WIDTH):
        for n in (threads * DEPTH_A_THREAD - 1, threads * DEPTH_A_THREAD, 1300, 20 * DEPTH):
            parts, below = sums(threads, m, n, 4 * width, np.int64(memory.ctypes.data))
            cut.append(parts)
            assert parts == 1 or below >= (plan.kc + 2 * UNROLLED) * 4 * width
            assert parts == 1 or n >= threads * DEPTH_A_THREAD
    assert set(cut) <= {1, threads}
    assert m > 90 or threads in cut


@pytest.mark.parametrize(("thread", "threads"), [(0, 2), (1, 2), (2, 3), (0, 5)])
def test_threads_that_do_not_come_are_not_missed(thread, threads):
    full = compiled(np.dtype(np.float32)).plan
    bytes_ = 4 * WIDTH * (DEPTH + 8) * 4
    plan = full._replace(block_bytes=bytes_, l2_block_bytes=bytes_ // 4)  # several blocks for each thread
    deep = threads * DEPTH_A_THREAD + 11
    wide = ((60, DEPTH + 300, 12 * WIDTH + 3), (2 * ROWS, 70, 5 * WIDTH), (90, 50, WIDTH))
    sums = (90, deep, WIDTH - 3), (90, deep, 3 * WIDTH - 3), (4 * DEPTH + 132, deep, WIDTH)  # the last do not fit
    for shape in *wide, *sums:
        a, b, out = operands(*shape)
        check_alone(plan, plan.blocked, a, np.asfortranarray(b), out, thread, threads)  # so that b's columns are packed
    for shape in (1, 203, 1000), (1, 203, 9001), (1, 9, 1000):
        check_alone(full, full.one_row, *operands(*shape), thread, threads)
    for shape in (300, 203, 1), (300, 203, 3):
        a, b, out = operands(*shape)
        check_alone(full, full.few_columns, a, np.asfortranarray(b), out, thread, threads)
        check_alone(full, full.few_columns, a, b, out, thread, threads)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [64, 256, 512, 1024, 2300])
def test_rounding_is_no_worse_than_the_peers(n, dtype):
    a, b, out = operands(200, n, 200, dtype)
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)

    def scatter(product):
        """The root mean square of its errors."""
        return float(np.sqrt(np.mean((product - exact) ** 2)))

    gemm(a, b, out)
    peers = [scatter(np.asarray(kernels.matmul(*map(LIBRARIES[each.arrays].place, (a, b)), kernel=each.name)))
             for each in kernels.available() if each.peer and "cpu" in each.devices and dtype in each.dtypes]  # fmt: skip
    assert scatter(out) <= 1.1 * min(peers)  # two sums at once scatter 3 % less; sums without k chunks 2 to 3 times as much


@pytest.mark.parametrize("beta", [0.0, -0.0])
def test_beta_zero_never_reads_out(beta):
    for dtype, n in itertools.product(("float32", "float64"), (0, 5, 300)):
        a, b, out = operands(40, n, 50, dtype)
        out[...] = np.nan
        gemm(a, b, out, beta=beta)
        assert not np.isnan(out).any()
        room = np.full((80, 150), np.nan, dtype)
        gemm(a, b, room[::2, ::3], beta=beta)
        assert not np.isnan(room[::2, ::3]).any()
        assert np.isnan(room[1::2]).all()


def test_read_only_operands_are_fine_and_wrong_ones_are_named():
    a, b, out = operands(3, 4, 5)
    a.flags.writeable = b.flags.writeable = False
    check(a, b, out)
    with pytest.raises(ValueError, match=r"expected a \(m, n\), b \(n, p\) and out \(m, p\)"):
        gemm(a, b.T, out)
    with pytest.raises(TypeError, match="expected arrays of one dtype, got float32, float64 and float32"):
        gemm(a, b.astype("float64"), out)


SQUARE, READ_ONLY = np.ones((2, 2)), np.ones((2, 2))
READ_ONLY.flags.writeable = False
WRONG = {
    "list": ([[1.0]], "expected a plain numpy array, got list"),
    "tensor": (torch.ones(2, 2, dtype=torch.float64), "expected a plain numpy array, got Tensor"),
    "masked": (np.ma.masked_array(SQUARE), "expected a plain numpy array, got a masked array"),
    "none": (None, "expected a plain numpy array, got NoneType"),
    "vector": (np.ones(2), "expected 2 dimensions, got 1"),
    "cube": (np.ones((2, 2, 2)), "expected 2 dimensions, got 3"),
    "whole": (np.ones((2, 2), int), "expected float32 or float64, got int64"),
    "half": (np.ones((2, 2), np.float16), "expected float32 or float64, got float16"),
    "big-endian": (np.ones((2, 2), ">f8"), "expected float32 or float64, got >f8"),
}


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_argument_is_named(wrong, place):
    argument, said = WRONG[wrong]
    arguments = [SQUARE, SQUARE, SQUARE.copy()]
    arguments[place] = argument
    with pytest.raises((TypeError, ValueError), match=f"^{('a', 'b', 'out')[place]}: {said}"):
        gemm(*arguments)


def test_another_byte_order_is_not_taken_for_an_array_without_alignment():
    """Numba remembers one type for both: the one that it saw first."""
    a = unaligned(np.arange(4.0).reshape(2, 2))
    swapped = a.astype(a.dtype.newbyteorder())
    for _ in range(2):
        out = unaligned(np.zeros((2, 2)))
        gemm(a, a, out)
        assert out.tolist() == [[2, 3], [6, 11]]
        for arguments in ((swapped, a, out), (a, swapped, out), (a, a, swapped)):
            with pytest.raises(TypeError, match="expected float32 or float64"):
                gemm(*arguments)


def test_a_read_only_out_and_factors_that_are_no_numbers_are_named():
    with pytest.raises(ValueError, match="out: expected a writable array"):
        gemm(SQUARE, SQUARE, READ_ONLY)
    for name in ("alpha", "beta"):
        with pytest.raises(TypeError, match=f"{name}: expected a number, got str"):
            gemm(SQUARE, SQUARE, SQUARE.copy(), **{name: "1"})


def test_sixteen_threads_at_once():
    wrong = []

    def work(seed):
        random = np.random.default_rng(seed)
        for _ in range(20):
            m, n, p = random.integers(1, 200, 3)
            a, b = random.standard_normal((m, n)), random.standard_normal((n, p))
            out = np.empty((m, p))
            gemm(a, b, out)
            if not np.allclose(out, a @ b):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_workspace_is_bounded_and_kept():
    gemm(*operands(300, 300, 300))
    first = GEMM._caller.ready[np.dtype("float32")].memory
    gemm(*operands(900, 1000, 800))
    assert GEMM._caller.ready[np.dtype("float32")].memory is first
    assert compiled(np.dtype("float32")).plan.workspace_bytes(1) < caches()[-1].size
    assert first.nbytes <= numba.get_num_threads() * caches()[-1].size
