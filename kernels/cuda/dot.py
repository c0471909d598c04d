"""One thread's dot product. `elementwise`, `rowwise` and `columnwise` share it, and differ by which threads are neighbours."""

from __future__ import annotations

from typing import Any

from kernels.cuda.primitives import inlined


@inlined
def dot(a: Any, b: Any, i: Any, j: Any, zero: Any) -> Any:
    """Row i of a by column j of b; two loads for each multiply-add.

    By `while`, 11 instructions a multiply-add for sm_90; by `for k in range(n)`, 37: numba's range counts down beside, and NVVM
    does not see that it need not.
    """
    total = zero
    k = 0
    while k < a.shape[1]:
        total += a[i, k] * b[k, j]
        k += 1
    return total
