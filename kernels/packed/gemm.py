"""`gemm`: the call from Python. It checks what numba would not, and has compiled code, workspace and threads ready."""

from __future__ import annotations

import numbers
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import from_dtype, types
from numba.core.errors import NumbaError
from numpy import ndarray
from numpy.typing import NDArray

from kernels.arrays import aligned_zeros, oddity
from kernels.cpu.tiles import ITEMSIZE
from kernels.cpu.vectors import vectors
from kernels.forking import held_over_forks
from kernels.jit.caching import UNWRAPPED, cached
from kernels.jit.pointers import address
from kernels.packed import loops, microkernel
from kernels.packed.choices import DIRECT_BYTES, ROWS_TO_PACK_FOR, SCATTERED_BYTES, SERIAL, STRIP, blocking
from kernels.packed.dispatch import multiply, served
from kernels.packed.matvec import dots, few_columns, one_row
from kernels.packed.plan import PLAN, Plan, own_bytes, product_layout
from kernels.packed.pool.workers import Pool
from kernels.registry import kernel

Matrix = NDArray[Any]


class Compiled(NamedTuple):
    """What a dtype needs: the compiled product, and its plan."""

    multiply: Callable[..., bool]
    plan: Plan


class Ready(NamedTuple):
    """What a thread has ready for a dtype: the compiled product, and its workspace."""

    multiply: Callable[..., bool]
    workspace: int
    memory: NDArray[np.uint8]


class _Caller(threading.local):
    """What one of the caller's threads has ready, by dtype."""

    def __init__(self) -> None:
        self.ready: dict[np.dtype[Any], Ready] = {}


_caller = _Caller()
_compiled: dict[np.dtype[Any], Compiled] = {}
_compiling, pool = held_over_forks(threading.RLock(), rank=1), Pool(numba.config.NUMBA_NUM_THREADS)


def gemm(a: Matrix, b: Matrix, out: Matrix, alpha: float = 1.0, beta: float = 0.0) -> None:
    """Make out = alpha a b + beta out, by packed blocks, a microtile of out in registers, and a loop for each cache.

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
        If the shapes do not fit, or `out` is read-only.
    TypeError
        If an argument is no plain numpy array, or the dtypes differ or are neither float32 nor float64.

    Notes
    -----
    As many threads as numba is set to, where they pay. A product on several threads has them to itself: others that come
    meanwhile run on their caller's thread.
    Workspace does not grow with the product: each thread of the caller keeps, for each dtype and each thread of a product, a
    block of b, and rows of a and c: `Plan.workspace_bytes` in all.

    Examples
    --------
    >>> import numpy as np
    >>> out = np.ones((2, 2))
    >>> gemm(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]), out, alpha=10.0, beta=1.0)
    >>> out
    array([[11., 21.],
           [31., 41.]])
    """
    # What follows costs a small product more than its arithmetic: one look-up, one call.
    # Numba must not see a masked array, or one of another byte order: it takes them for plain ones once it has seen those.
    if not (type(a) is type(b) is type(out) is ndarray and a.dtype is b.dtype is out.dtype):
        _name_what_is_wrong(a, b, out, alpha, beta)
    try:
        multiply, workspace, _ = _caller.ready.get(a.dtype) or _prepare(a.dtype, 1)
        if not multiply(a, b, out, alpha, beta, workspace, 0):  # more threads than this caller has had so far
            threads = pool.grow(numba.get_num_threads())
            multiply, workspace, _ = _prepare(a.dtype, threads)
            multiply(a, b, out, alpha, beta, workspace, threads)
    except (TypeError, AttributeError, NumbaError):
        _name_what_is_wrong(a, b, out, alpha, beta)
        raise


def _name_what_is_wrong(a: Any, b: Any, out: Any, alpha: Any, beta: Any) -> None:
    """Raise what an argument's library, rank, dtype or flags deserve: numba would print every signature it knows."""
    for name, x in {"a": a, "b": b, "out": out}.items():
        if not isinstance(x, np.ndarray) or (odd := oddity(x)):
            raise TypeError(f"{name}: expected a plain numpy array, got {odd if isinstance(x, np.ndarray) else type(x).__name__}")
        if x.ndim != 2:
            raise ValueError(f"{name}: expected 2 dimensions, got {x.ndim}")
        if x.dtype.name not in ITEMSIZE or not x.dtype.isnative:
            raise TypeError(f"{name}: expected float32 or float64, got {x.dtype}")
    if not a.dtype == b.dtype == out.dtype:
        raise TypeError(f"expected arrays of one dtype, got {a.dtype}, {b.dtype} and {out.dtype}")
    if not out.flags.writeable:
        raise ValueError("out: expected a writable array, got a read-only one")
    for name, factor in {"alpha": alpha, "beta": beta}.items():
        if not isinstance(factor, numbers.Real):
            raise TypeError(f"{name}: expected a number, got {type(factor).__name__}")


def _prepare(dtype: np.dtype[Any], threads: int) -> Ready:
    """The loops, compiled if need be, with workspace for that many threads."""
    multiply, plan = compiled(dtype)
    found, needed = _caller.ready.get(dtype), plan.workspace_bytes(threads)
    if found is None or found.memory.nbytes < needed:
        memory = workspace(plan, threads)
        found = _caller.ready[dtype] = Ready(multiply, memory.ctypes.data, memory)
    return found


def workspace(plan: Plan, threads: int) -> NDArray[np.uint8]:
    """A workspace for so many threads, with the plan at its head."""
    memory = aligned_zeros((plan.workspace_bytes(threads),), np.uint8)
    memory[: PLAN.itemsize].view(PLAN)[:] = plan._replace(threads=threads)
    return memory


kernel("numba", "full", threads=True, compiles=True)(gemm)


def compiled(dtype: np.dtype[Any]) -> Compiled:
    """The compiled product for a dtype: compiled, or loaded from numba's cache on disk, at the first call."""
    found = _compiled.get(dtype)
    if found is None:
        if str(dtype) not in ITEMSIZE:
            raise TypeError(f"expected float32 or float64, got {dtype}")
        with _compiling:
            found = _compiled[dtype] = _compiled.get(dtype) or _compile(dtype.name)
    return found


def _compile(dtype: str) -> Compiled:
    size, element, layout = ITEMSIZE[dtype], getattr(types, dtype), from_dtype(product_layout(np.dtype(dtype)))
    unit, whole, sizes = vectors(), types.int64, blocking(dtype)
    lanes = unit.lanes(size)
    tile = microkernel.compiled(lanes, sizes.mr // lanes, unit.registers, int(unit.early), int(unit.halves), element)
    part = types.void(from_dtype(PLAN), layout, whole)
    kinds = loops.blocked, few_columns.few_columns, one_row.one_row
    blocked, columns, row = (address(cached(part, **UNWRAPPED)(kind)) for kind in kinds)
    serve = cached(types.void(whole, whole), **UNWRAPPED)(served(np.zeros(1, dtype)[0]))
    deepest = sizes.kc + 2 * microkernel.UNROLLED  # the last kc panel takes what the others leave
    plan = Plan(
        pool=pool.address, microkernel=address(tile), dots=address(dots.compiled(element)), blocked=blocked, few_columns=columns,
        one_row=row, serve=address(serve), registers=unit.registers, early=int(unit.early), lanes=lanes,
        mr=sizes.mr, kc=sizes.kc, serial=SERIAL, direct_bytes=DIRECT_BYTES, straddling_bytes=sizes.straddling_bytes,
        rows_to_pack_for=ROWS_TO_PACK_FOR, scattered_bytes=SCATTERED_BYTES, strip=STRIP, dot_extra=sizes.dot_extra,
        l3_from_bytes=sizes.l3_from_bytes, l2_block_bytes=sizes.l2_block_bytes, block_bytes=deepest * sizes.mc * size,
        own_bytes=own_bytes(sizes.mr, deepest, size), threads=0,
    )  # fmt: skip
    read, written = types.Array(element, 2, "A", readonly=True), types.Array(element, 2, "A")
    signature = types.boolean(read, read, written, types.float64, types.float64, whole, whole)
    return Compiled(cached(signature, nogil=True)(multiply), plan)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.forget)  # threads do not come along
