"""`gemm`: what is decided before the loops start: compiled code, workspace, what to pack, and threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from kernels.arrays import aligned_zeros
from kernels.numba_packed import loops, microkernel
from kernels.registry import kernel
from kernels.tiles import ITEMSIZE, packed_tiling
from kernels.vectors import vectors

Matrix = NDArray[Any]

SERIAL = 1_000_000
"""Up to this many multiply-adds a second thread costs more than it brings: starting and joining take some microseconds."""

DIRECT_BYTES = 128 << 10
"""A b up to this size is read where it lies: packing would cost more than the pages and cache sets that it saves."""

ROWS_TO_PACK_FOR = 48
"""With fewer rows of a, a packed b would not be read often enough."""

SCATTERED_BYTES = 2048
"""Rows of a that lie this far apart, or further, are packed: fewer than a tile's would fit the cache sets that they share."""


class Compiled(NamedTuple):
    """What a dtype needs: the loops, and what they are told."""

    multiply: Callable[..., None]
    plan: loops.Plan


class Ready(NamedTuple):
    """A thread's way to a product: the loops, and the addresses of their workspace and plan, which the arrays keep alive."""

    multiply: Callable[..., None]
    work: int
    plan: int
    arrays: tuple[Matrix, Matrix]


class _Caller(threading.local):
    """What one of the caller's threads has ready, by the dtype's number."""

    def __init__(self) -> None:
        self.ready: dict[int, Ready] = {}


_caller = _Caller()
_compiled: dict[int, Compiled] = {}
_compiling, _parallel = threading.Lock(), threading.Lock()
_forked = False


def gemm(a: Matrix, b: Matrix, out: Matrix, alpha: float = 1.0, beta: float = 0.0) -> None:
    """Make out = alpha a b + beta out.

    Parameters
    ----------
    a : (m, n) array
        float32 or float64; any strides, negative ones and those of a transposed array included.
    b : (n, p) array
        Of the same dtype.
    out : (m, p) array
        Of the same dtype, overlapping neither; not read where `beta` is 0.
    alpha, beta : float

    Raises
    ------
    ValueError
        If the shapes do not fit.
    TypeError
        If the dtypes differ, or are neither float32 nor float64.

    Notes
    -----
    As many threads as numba is set to, where they pay. A product on several threads has them to itself: others wait.
    Workspace is bounded by the caches, and each thread of the caller keeps its own.

    Examples
    --------
    >>> import numpy as np
    >>> out = np.ones((2, 2))
    >>> gemm(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]), out, alpha=10.0, beta=1.0)
    >>> out
    array([[11., 21.],
           [31., 41.]])
    """
    # What follows costs a small product more than its arithmetic: one look-up, one comparison, one call.
    try:
        multiply, work, plan, _ = _caller.ready.get(a.dtype.num) or _prepare(a.dtype, 1)
        if a.size * b.shape[1] <= SERIAL:
            multiply(a, b, out, alpha, beta, work, plan, 1, 1)
            return
        _share(a, b, out, alpha, beta)
    except TypeError:
        if not a.dtype == b.dtype == out.dtype:
            raise TypeError(f"expected arrays of one dtype, got {a.dtype}, {b.dtype} and {out.dtype}") from None
        raise


def _share(a: Matrix, b: Matrix, out: Matrix, alpha: float, beta: float) -> None:
    """The product on as many threads as numba is set to."""
    threads = 1 if _forked else numba.get_num_threads()
    multiply, work, plan, _ = _prepare(a.dtype, threads)
    if threads == 1:
        multiply(a, b, out, alpha, beta, work, plan, 1, 1)
        return
    across, down = split(a.shape[0], b.shape[1], _compiled[a.dtype.num].plan.width, threads)
    with _parallel:
        multiply(a, b, out, alpha, beta, work, plan, across, down)


def _prepare(dtype: np.dtype[Any], threads: int) -> Ready:
    """The loops, compiled if need be, with workspace for that many threads."""
    multiply, plan = compiled(dtype)
    found = _caller.ready.get(dtype.num)
    if found is None or found.arrays[0].nbytes < threads * plan.workspace_bytes:
        work, told = aligned_zeros((threads * plan.workspace_bytes,), np.uint8), np.array(plan)
        found = _caller.ready[dtype.num] = Ready(multiply, work.ctypes.data, told.ctypes.data, (work, told))
    return found


@kernel("numba", "full", threads=True, compiles=True)
def full(a: Matrix, b: Matrix, out: Matrix) -> None:
    """Packed panels, a tile of out in registers, loops for each cache around it; SIMD emitted for this CPU."""
    gemm(a, b, out)


def compiled(dtype: np.dtype[Any]) -> Compiled:
    """The compiled product for a dtype: compiled, or loaded from numba's cache on disk, at the first call."""
    found = _compiled.get(dtype.num)
    if found is None:
        if dtype.name not in ITEMSIZE:
            raise TypeError(f"a: expected float32 or float64, got {dtype}")
        with _compiling:
            found = _compiled[dtype.num] = _compiled.get(dtype.num) or _compile(dtype.name)
    return found


def _compile(dtype: str) -> Compiled:
    size, element = ITEMSIZE[dtype], getattr(types, dtype)
    sizes = {each.name: each.result for each in packed_tiling(dtype)}
    # The model's mr runs along the vectors, here the columns; half of the block is left to what streams through the cache.
    rows, width = sizes["nr"], sizes["mr"]
    lanes = vectors().lanes(size)
    tile = microkernel.compiled(lanes, width // lanes, rows, element)
    pc = max(width, sizes["mc"] // 2 // width * width)
    crossovers = DIRECT_BYTES, ROWS_TO_PACK_FOR, SCATTERED_BYTES
    kc = sizes["kc"]
    work = loops.workspace_bytes(rows, width, kc, pc, size)
    plan = loops.Plan(microkernel.address(tile), rows, width, kc, pc, *crossovers, work)
    read, written, whole = types.Array(element, 2, "A", readonly=True), types.Array(element, 2, "A"), types.int64
    signature = types.void(
        read, read, written, types.float64, types.float64, whole, whole, whole, whole,
    )  # fmt: skip
    options = {"cache": True, "nogil": True, "parallel": True}
    multiply = numba.njit(signature, **options)(loops.product(source_stamp()))
    return Compiled(multiply, plan)


@cache
def source_stamp() -> str:
    """A digest of this package's source."""
    return sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[:16]


@cache
def split(m: int, p: int, width: int, threads: int) -> tuple[int, int]:
    """Parts across and down for that many threads: the smallest largest part, and then the squarest.

    Examples
    --------
    >>> split(1000, 1000, 32, 4), split(4000, 32, 32, 4), split(14, 4096, 32, 4)
    ((2, 2), (1, 4), (4, 1))
    """
    choices = [(across, threads // across) for across in range(1, threads + 1) if threads % across == 0]

    def cost(choice: tuple[int, int]) -> tuple[int, int]:
        across, down = choice
        rows, columns = -(-m // down), -(-p // (across * width)) * width
        return rows * columns, rows + columns

    return min(choices, key=cost)


def _after_fork() -> None:
    """In a child of a process: threads did not come along, and GNU OpenMP refuses to start anew."""
    global _forked, _parallel, _compiling
    _forked = _parallel_was_used()
    _compiling, _parallel = threading.Lock(), threading.Lock()


def _parallel_was_used() -> bool:
    try:
        numba.threading_layer()
    except ValueError:
        return False
    return True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
