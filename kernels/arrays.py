"""The two array libraries that kernels take, numpy's and torch's, behind the few questions asked of both."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


def library(array: Any) -> str | None:
    """Which library an array belongs to: "numpy", "torch", or None for anything else."""
    if isinstance(array, np.ndarray):
        return "numpy"
    # A tensor can exist only where torch has been imported, so torch need not be imported to know one.
    return "torch" if type(array).__module__.partition(".")[0] == "torch" and hasattr(array, "data_ptr") else None


def dtype(array: Any) -> str:
    """Name of the element type, such as "float32"."""
    return str(array.dtype).removeprefix("torch.")


def device(array: Any) -> str:
    """Where the elements live: "cpu" or "cuda"."""
    return "cpu" if isinstance(array, np.ndarray) else str(array.device.type)


def writable(array: Any) -> bool:
    """Whether the elements may be written; a tensor's always may."""
    return not isinstance(array, np.ndarray) or bool(array.flags.writeable)


def empty(shape: tuple[int, int], like: Any) -> Any:
    """A new, uninitialised array of the same library, dtype and device."""
    if isinstance(like, np.ndarray):
        return np.empty(shape, like.dtype)
    return like.new_empty(shape)


def aligned_zeros(shape: tuple[int, ...], dtype: Any, alignment: int = 64) -> NDArray[Any]:
    """Zeros that start on a cache line's border: numpy promises 16 bytes, and a vector across two lines is loaded twice.

    Numba compiles it as well: see `kernels.scratch`.
    """
    count = 1
    for edge in shape:
        count *= edge
    room = np.zeros(count + alignment, dtype)
    start = (alignment - int(room.ctypes.data) % alignment) // room.itemsize
    return room[start : start + count].reshape(shape)


def overlap(x: Any, y: Any) -> bool:
    """Whether two arrays share an element's memory, wherever it is: only addresses are compared."""
    return bool(np.shares_memory(_addresses(x), _addresses(y)))


def _addresses(array: Any) -> NDArray[Any]:
    if isinstance(array, np.ndarray):
        return array
    size = array.element_size()
    interface = {
        "version": 3,
        "shape": tuple(array.shape),
        "strides": tuple(step * size for step in array.stride()),
        "typestr": f"|V{size}",
        "data": (array.data_ptr(), True),
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))
