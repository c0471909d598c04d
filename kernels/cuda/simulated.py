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

ALIGNED = 256
"""Bytes: shared memory starts at bank 0."""


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
