"""Operations each of which waits for the one before: how long a core takes until a result can be used.

Floating-point sums may not be regrouped, so that no compiler can shorten them; counting turns goes on beside.
"""

from __future__ import annotations

from typing import Any

import numba


@numba.njit(cache=True, fastmath={"contract"})
def multiply_adds(count: int, seed: Any) -> Any:
    """`count` multiply-adds in a row, fused where the CPU can: x <- seed x + seed."""
    x = seed
    for _ in range(count):
        x = x * seed + seed
    return x


@numba.njit(cache=True)
def additions(count: int, seed: Any) -> Any:
    """`count` additions in a row: x <- x + seed."""
    x = seed
    for _ in range(count):
        x += seed
    return x
