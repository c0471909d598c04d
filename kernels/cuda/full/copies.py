"""A thread's share of a tile, from global to shared memory: so many elements at a time, and zeros beyond the operand's edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.cuda.primitives import copy_async, cuda, inlined, load, store

U32, U64 = np.uint32, np.uint64


def copier(dtype: Any, pitch: int, apart: int, copied: int, asynchronous: bool, guarded: bool) -> Any:
    """A device function that copies `copied` elements of one of a thread's rows of a tile.

    Parameters
    ----------
    dtype : type
    pitch : int
        Elements of a row of the tile.
    apart : int
        From one of the thread's rows to the next, in rows.
    copied : int
    asynchronous, guarded : bool
        As `kernels.cuda.full.pipeline.Ideas` has them.
    """
    copy = copy_async if asynchronous else synchronous(dtype, copied)

    @inlined
    def copy_row(s: Any, tile: Any, to: Any, source: Any, at: Any, step: Any, left: Any, inside: Any) -> None:
        """The thread's row s, `step` elements of the source from the one before, of which `left` is a row too far."""
        wanted = U32(copied) if inside and (not guarded or s * U64(apart) < left) else U32(0)
        copy(tile, to, s * U64(apart * pitch), source, at + s * step, wanted, copied)

    return copy_row


def synchronous(dtype: Any, copied: int) -> Callable[..., None]:
    """What `copy_async` does, through registers, where the thread waits for it."""

    @inlined
    def copy(to: Any, start: Any, plus: Any, source: Any, at: Any, wanted: Any, lanes: Any) -> None:
        values = cuda.local.array(copied, dtype)
        if wanted > U32(0):
            load(values, U64(0), source, at, U64(0), copied)
        else:
            for e in range(copied):
                values[e] = dtype(0)
        store(to, start, plus, values, U64(0), copied)

    return copy
