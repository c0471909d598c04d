"""A thread's share of a tile, from global to shared memory: so many elements at a time, and zeros beyond the operand's edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.cuda.full.blocking import Ideas
from kernels.cuda.primitives import copy_async, cuda, inlined, load, store, unrolled

U32, U64 = np.uint32, np.uint64


def copier(dtype: Any, tile: tuple[int, int], threads: int, ideas: Ideas, pitch: int | None = None) -> tuple[Any, Any]:
    """Two device functions: the place of a thread's first copy, and the copies.

    Parameters
    ----------
    dtype : type
    tile : tuple of int
        Its rows and columns.
    threads : int
        That share the tile. They lie row after row, each with one copy of a row, and then go down together.
    ideas : Ideas
    pitch : int, optional
        Elements from a row of the tile to the next in shared memory; its columns, if left out.
    """
    rows, columns = tile
    step_to = columns if pitch is None else pitch
    copied, guarded = ideas.copied, ideas.guarded
    along = columns // copied
    down = threads // along
    times = rows // down
    copy = copy_async if ideas.asynchronous else synchronous(dtype, copied)

    @inlined
    def place(thread: Any) -> Any:
        """Row and column of a thread's first copy in a tile."""
        return thread // U64(along), thread % U64(along) * U64(copied)

    @inlined
    def copy_row(s: Any, to: Any, start: Any, source: Any, at: Any, step: Any, left: Any, inside: Any) -> None:
        wanted = U32(copied) if inside and (not guarded or s * U64(down) < left) else U32(0)
        copy(to, start, s * U64(down * step_to), source, at + s * (U64(down) * step), wanted, copied)

    @inlined
    def copy_tile(thread: Any, to: Any, start: Any, source: Any, at: Any, step: Any, left: Any, inside: Any) -> None:
        """From `source` at `at`, whose rows are `step` elements apart; of its rows `left` are there, if it is inside at all."""
        i, j = place(thread)
        unrolled(times, copy_row, (to, start + i * U64(step_to) + j, source, at, step, left, inside))

    return place, copy_tile


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
