"""The primitives in numba-cuda's simulator, in plain Python: what each means, an element at a time.

An asynchronous copy is put off for as long as it may be, until its thread waits: a kernel that does not is found out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda.simulator.kernelapi import FakeCUDAShared
from numpy.typing import NDArray

from kernels.dtypes import rounded

ALIGNED = 256
"""Bytes: shared memory starts at bank 0."""

WARP = 32
PATIENCE = 60
"""Seconds until a warp whose threads do not all come is given up."""


def inlined(function: Callable[..., Any]) -> Any:
    """A device function."""
    return cuda.jit(device=True)(function)


def matrix(operand: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """A matrix on the memory at an address."""
    address, rows, columns, *steps = operand
    size = np.dtype(dtype).itemsize
    interface = {
        "version": 3, "typestr": np.dtype(dtype).str, "data": (address, False), "shape": (rows, columns),
        "strides": tuple(step * size for step in steps),
    }  # fmt: skip
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def flat(array: NDArray[Any], start: int, count: int) -> NDArray[Any]:
    """So many elements in a row from a flat position of an array's memory."""
    place = array.__array_interface__["data"][0] + int(start) * array.itemsize
    return matrix((place, 1, count, 0, 1), array.dtype)[0]


def load(to: Any, first: Any, source: Any, start: Any, plus: Any, lanes: int) -> None:
    """Elements in a row into a local array."""
    to.reshape(-1)[int(first) : int(first) + lanes] = flat(source, int(start) + int(plus), lanes)


def store(to: Any, start: Any, plus: Any, source: Any, first: Any, lanes: int) -> None:
    """Elements in a row out of a local array."""
    flat(to, int(start) + int(plus), lanes)[:] = source.reshape(-1)[int(first) : int(first) + lanes]


def copy_async(to: Any, start: Any, plus: Any, source: Any, at: Any, wanted: Any, lanes: int) -> None:
    """Put it off until the thread waits for it; the source may lie anywhere if nothing of it is wanted."""
    target = flat(to, int(start) + int(plus), lanes)
    read = flat(source, at, int(wanted)) if wanted else ()

    def copy() -> None:
        target[:] = 0
        target[: int(wanted)] = read

    _groups()[-1].append(copy)


def commit_copies() -> None:
    """The copies so far are a group."""
    _groups().append([])


def wait_copies(left: int) -> None:
    """Have all but the last groups done."""
    groups = _groups()
    while len(groups) > left + 1:
        for copy in groups.pop(0):
            copy()


def _groups() -> list[list[Callable[[], None]]]:
    """Copies that this thread of the kernel has asked for, the last group not committed yet."""
    groups: list[list[Callable[[], None]]] = threading.current_thread().__dict__.setdefault("copies", [[]])
    return groups


def unrolled(count: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Call ``function(i, *arguments)`` for each i."""
    for i in range(count):
        function(i, *arguments)


looped = unrolled


def load_fragments(to: Any, first: Any, source: Any, start: Any, plus: Any, transposed: bool) -> None:
    """Of four 8 x 8 matrices, whose rows start where the lanes say, a pair of each to every lane."""
    lane, rows = together(flat(source, int(start) + int(plus), 8), np.stack)
    for i, loaded in enumerate(rows.reshape(4, 8, 8)):
        pair = (loaded.T if transposed else loaded)[lane // 4, lane % 4 * 2 :][:2]
        to[int(first) + i] = pair.copy().view(np.uint32)[0]


def add_product(sums: Any, to: Any, a: Any, a0: Any, b: Any, b0: Any) -> None:
    """What the lanes have, put together and multiplied; each adds its part."""
    lane, product = together((a[int(a0) : int(a0) + 4].copy(), b[int(b0) : int(b0) + 2].copy()), _product)
    for i in range(4):
        sums[int(to) + i] += product[lane // 4 + i // 2 * 8, lane % 4 * 2 + i % 2]


def _product(fragments: list[tuple[NDArray[Any], NDArray[Any]]]) -> NDArray[Any]:
    """16 x 8, of the lanes' pairs of a and b."""
    left, right = np.empty((16, 16), np.float32), np.empty((16, 8), np.float32)
    for lane, (of_a, of_b) in enumerate(fragments):
        row, column = lane // 4, lane % 4 * 2
        for i, pair in enumerate(of_a):
            left[row + i % 2 * 8, column + i // 2 * 8 :][:2] = _halves(pair)
        for i, pair in enumerate(of_b):
            right[column + i * 8 :, row][:2] = _halves(pair)
    return left @ right


def _halves(pair: Any) -> NDArray[Any]:
    """Two bfloat16 as float32, of which they are the upper halves."""
    return np.array([int(pair) << 16 & 0xFFFF0000, int(pair) & 0xFFFF0000], np.uint32).view(np.float32)


def rounded_pair(low: Any, high: Any) -> Any:
    """Two float32 as bfloat16 in a uint32."""
    bits = rounded(np.array([low, high], np.float32), "bfloat16").view(np.uint32)
    return bits[0] >> 16 | bits[1] & np.uint32(0xFFFF0000)


class Warp:
    """Threads that wait for each other at an instruction of them all; the last to come does what it does."""

    def __init__(self) -> None:
        self.brought: list[Any] = [None] * WARP
        self.meeting = threading.Barrier(WARP, self._combine, timeout=PATIENCE)
        self.combine: Callable[[list[Any]], Any] = list

    def _combine(self) -> None:
        self.found = self.combine(self.brought)


def together(value: Any, combine: Callable[[list[Any]], Any]) -> tuple[int, Any]:
    """This thread's lane, and what comes of the values of all threads of its warp."""
    thread: Any = threading.current_thread()
    warps: dict[int, Warp] = thread._manager.__dict__.setdefault("warps", {})
    number, lane = divmod(thread.thread_id, WARP)
    warp = warps.setdefault(number, Warp())
    warp.brought[lane], warp.combine = value, combine
    warp.meeting.wait()
    return lane, warp.found


def shared_array(self: Any, shape: int | tuple[int, ...], dtype: Any, alignment: int = ALIGNED) -> NDArray[Any]:
    """The block's array that this line of the kernel asks for, the same for all its threads."""
    caller = sys._getframe(1)
    first: NDArray[Any] = self._allocations.setdefault((caller.f_code.co_filename, caller.f_lineno), poisoned(shape, dtype))
    return first


def poisoned(shape: int | tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """A new array of shared memory, in which there is no number."""
    size = np.dtype(dtype).itemsize * int(np.prod(shape))
    room = np.full(size + ALIGNED, 0xFF, np.uint8)
    start = -room.ctypes.data % ALIGNED
    return room[start : start + size].view(dtype).reshape(shape)


FakeCUDAShared.array = shared_array  # the simulator's own refuses an alignment
