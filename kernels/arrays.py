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


def oddity(array: Any) -> str | None:
    """What keeps an array of either library from being a plain one, with what makes it one; None if nothing does."""
    if isinstance(array, np.ma.MaskedArray):
        return "a masked array, whose mask would be ignored; use a.filled(0)"
    if isinstance(array, np.matrix):
        return "a numpy.matrix; use np.asarray(a)"
    if isinstance(array, np.ndarray):
        return None
    if str(array.layout) != "torch.strided":
        return f"a tensor of layout {str(array.layout).removeprefix('torch.')}; use a.to_dense()"
    if array.requires_grad:
        return "a tensor that requires a gradient, which kernels do not make; use a.detach()"
    return None


def writable(array: Any) -> bool:
    """Whether the elements may be written: not those of a read-only array, or of a tensor that was made for inference."""
    if isinstance(array, np.ndarray):
        return bool(array.flags.writeable)
    import torch

    return bool(not array.is_inference() or torch.is_inference_mode_enabled())


def overlaps_itself(array: Any) -> bool:
    """Whether two elements of a matrix share memory.

    Examples
    --------
    >>> overlaps_itself(np.broadcast_to(np.zeros(3), (2, 3))), overlaps_itself(np.zeros((4, 6))[::2, ::-3])
    (True, False)
    """
    if 0 in array.shape:
        return False
    size: int = array.itemsize
    steps = array.strides if isinstance(array, np.ndarray) else [step * size for step in array.stride()]
    (short, count), (long, many) = sorted((abs(step), length) for step, length in zip(steps, array.shape, strict=True))
    if count == 1 or many == 1:
        return any(step < size and length > 1 for step, length in ((short, count), (long, many)))
    if short < size:
        return True
    if long >= short * (count - 1) + size:  # no row reaches into the next
        return False
    rows = np.arange(1, many) * long  # a row back from each, less whole steps along it
    apart = rows % short
    nearest = np.minimum(apart, short - apart)
    return bool(np.any((nearest < size) & (rows - size < short * (count - 1))))


def empty(shape: tuple[int, int], like: Any) -> Any:
    """A new, uninitialised array of the same library, dtype and device."""
    if isinstance(like, np.ndarray):
        return np.empty(shape, like.dtype)
    return like.new_empty(shape)


def aligned_zeros(shape: tuple[int, ...], dtype: Any, alignment: int = 64) -> NDArray[Any]:
    """Zeros that start on a cache line's border: numpy promises 16 bytes, and a vector across two lines is loaded twice.

    Numba compiles it as well: see `kernels.jit.scratch`.
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
