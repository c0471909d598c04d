"""How the lanes of a warp add up: each has a part, and all have the sum; in numba-cuda's simulator too, which has no shuffles."""

from __future__ import annotations

from typing import Any

from numba.cuda.core import config

from kernels.cuda.primitives import cuda, inlined

LANES = 32
EVERYONE = 0xFFFFFFFF

if config.ENABLE_CUDASIM:
    from kernels.cuda.simulated import together

    def exchange(value: Any, apart: int) -> Any:
        """The value of the lane whose number differs in the bit `apart`."""
        lane, values = together(value, list)
        return values[lane ^ apart]

else:

    @inlined
    def exchange(value: Any, apart: Any) -> Any:
        """The value of the lane whose number differs in the bit `apart`."""
        return cuda.shfl_xor_sync(EVERYONE, value, apart)


def summed_over(least: int, most: int) -> Any:
    """A device function: for each lane the sum over those whose numbers differ in the bits from `least` to below `most`."""

    @inlined
    def total(value: Any) -> Any:
        return value

    bit = least
    while bit < most:
        total = _and_over(bit, total)
        bit *= 2
    return total


def _and_over(bit: int, total: Any) -> Any:
    @inlined
    def more(value: Any) -> Any:
        so_far = total(value)
        return so_far + exchange(so_far, bit)

    return more
