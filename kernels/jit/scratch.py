"""Arrays for compiled code to work in, which begin on a cache line's border: numba's allocator aligns to 16 or 32 bytes.

Off the border every other vector of 32 bytes, and every one of 64, may lie across two lines, which takes two loads.
"""

from __future__ import annotations

from typing import Any

from kernels.arrays import aligned_zeros
from kernels.jit.caching import inner
from kernels.jit.emit import LINE

scratch = inner(aligned_zeros)
"""``scratch(shape, dtype)`` in compiled code: zeros, C-contiguous, that begin on a cache line's border."""


@inner
def long_rows(rows: int, length: int, like: Any) -> Any:
    """Scratch of so many rows of at least that length, of the dtype of `like`, each from a cache line's border on.

    A row is an odd number of lines long, so that rows begin in each set of a cache in turn. Were it a power of two, all of them
    would begin in one or two sets: what goes down a column would find in the cache as many rows as that has ways.
    """
    of_a_line = LINE // like.itemsize
    return scratch((rows, ((length + of_a_line - 1) // of_a_line | 1) * of_a_line), like.dtype)
