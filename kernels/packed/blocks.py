"""`numba/full` with blocks of another size than its own: what a size is worth, where the model says which is best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kernels.cpu.tiles import ITEMSIZE
from kernels.packed.gemm import Matrix, compiled, workspace
from kernels.packed.microkernel import UNROLLED
from kernels.packed.plan import Plan, own_bytes


def with_blocks(tile: Mapping[str, int]) -> Callable[[Matrix, Matrix, Matrix], None]:
    """The packed product on one thread, which packs every b into blocks of so many rows "kc" and columns "mc".

    Parameters
    ----------
    tile : mapping of str to int
        With "kc" and "mc", in elements; a kc below two of the microkernel's turns counts as two, an mc below mr as mr.

    Examples
    --------
    >>> a, out = np.eye(20, dtype=np.float32), np.empty((20, 20), np.float32)
    >>> with_blocks({"kc": 8, "mc": 16})(a, a, out)
    >>> bool((out == a).all())
    True
    """
    ready: dict[np.dtype[Any], tuple[Callable[..., bool], int, Any]] = {}

    def product(a: Matrix, b: Matrix, out: Matrix) -> None:
        if a.dtype not in ready:
            multiply, plan = compiled(a.dtype)
            memory = workspace(_blocked(plan, tile["kc"], tile["mc"], ITEMSIZE[a.dtype.name]), 1)
            ready[a.dtype] = multiply, memory.ctypes.data, memory
        multiply, address, _ = ready[a.dtype]
        multiply(a, b, out, 1.0, 0.0, address, 1)

    return product


def _blocked(plan: Plan, kc: int, mc: int, size: int) -> Plan:
    """A plan that takes blocks of this size, and never reads b where it lies."""
    kc = max(kc, 2 * UNROLLED)  # or the equal panels that the depth is cut into would be less than a turn deep
    deepest = kc + 2 * UNROLLED  # as in `gemm`: the last kc panel takes what the others leave
    return plan._replace(
        kc=kc, block_bytes=deepest * max(mc, plan.mr) * size, own_bytes=own_bytes(plan.mr, deepest, size), l3_from_bytes=0,
        direct_bytes=-1, straddling_bytes=-1, rows_to_pack_for=0, scattered_bytes=-1,
    )  # fmt: skip
