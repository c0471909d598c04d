"""The libraries whose arrays kernels take, behind the few questions asked of all of them.

numpy's and torch's are here. Another library's are declared beside its kernels, as a `Library` that `register` enters.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Library:
    """What the suite asks of a library. The defaults are those of one that does not expose its memory.

    Attributes
    ----------
    expected : str
        An array of it, in an error message.
    packages : tuple of str
        Where the types of its arrays are defined.
    wait : callable or None
        Returns when an array has its elements. None if every call does: a numpy array is written when the call is over.
    """

    expected: str
    packages: tuple[str, ...]
    wait: Callable[[Any], Any] | None = None

    def dtype(self, array: Any) -> str:
        """Name of the element type, such as "float32"."""
        return str(np.dtype(array.dtype))

    def device(self, array: Any) -> str:
        """Where the elements live: "cpu" or "cuda"."""
        return "cpu"

    def oddity(self, array: Any) -> str | None:
        """What keeps an array from being a plain one, with what makes it one; None if nothing does."""
        return None

    def writable(self, array: Any) -> bool:
        """Whether the elements may be written."""
        return True

    def overlaps_itself(self, array: Any) -> bool:
        """Whether two elements share memory."""
        return False

    def overlap(self, x: Any, y: Any) -> bool:
        """Whether two arrays share an element's memory."""
        return x is y

    def empty(self, shape: tuple[int, int], like: Any) -> Any:
        """A new array of the same dtype and device, to be overwritten."""
        return self.place(np.empty(shape, self.dtype(like)))

    def place(self, host: NDArray[Any]) -> Any:
        """An array of this library with the elements of a numpy array, whose memory it may share."""
        raise NotImplementedError

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """Overwrite an array, and return it; a new one in its place, where a library's cannot be written."""
        raise NotImplementedError

    def fetch(self, array: Any) -> NDArray[Any]:
        """A numpy array with the elements, which it may share."""
        return np.asarray(array)


class Numpy(Library):
    """Arrays in the process's memory, with strides in bytes."""

    expected, packages = "a numpy array", ("numpy",)

    def dtype(self, array: Any) -> str:
        """With its byte order, if that is another than the machine's."""
        return str(array.dtype)

    def oddity(self, array: Any) -> str | None:
        """A mask, or a matrix's own multiplication."""
        if isinstance(array, np.ma.MaskedArray):
            return "a masked array, whose mask would be ignored; use a.filled(0)"
        if isinstance(array, np.matrix):
            return "a numpy.matrix; use np.asarray(a)"
        return None

    def writable(self, array: Any) -> bool:
        """Not those of a read-only array."""
        return bool(array.flags.writeable)

    def overlaps_itself(self, array: Any) -> bool:
        """By its strides."""
        return _meet(array.shape, array.strides, array.itemsize)

    def overlap(self, x: Any, y: Any) -> bool:
        """Wherever the memory is: only addresses are compared."""
        return bool(np.shares_memory(x, y))

    def empty(self, shape: tuple[int, int], like: Any) -> Any:
        """Uninitialised."""
        return np.empty(shape, like.dtype)

    def place(self, host: NDArray[Any]) -> Any:
        """The array itself."""
        return host

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """In place."""
        array[...] = host
        return array


class Torch(Library):
    """Strided tensors, on the CPU or on a GPU."""

    expected, packages = "a torch tensor", ("torch",)

    def dtype(self, array: Any) -> str:
        """As numpy calls it."""
        return str(array.dtype).removeprefix("torch.")

    def device(self, array: Any) -> str:
        """Its type, without a number."""
        return str(array.device.type)

    def oddity(self, array: Any) -> str | None:
        """A sparse layout, or a gradient that is asked for."""
        if str(array.layout) != "torch.strided":
            return f"a tensor of layout {str(array.layout).removeprefix('torch.')}; use a.to_dense()"
        if array.requires_grad:
            return "a tensor that requires a gradient, which kernels do not make; use a.detach()"
        return None

    def writable(self, array: Any) -> bool:
        """Not those of a tensor that was made for inference."""
        import torch

        return bool(not array.is_inference() or torch.is_inference_mode_enabled())

    def overlaps_itself(self, array: Any) -> bool:
        """By its strides."""
        size = array.itemsize
        return _meet(array.shape, [step * size for step in array.stride()], size)

    def overlap(self, x: Any, y: Any) -> bool:
        """Wherever the memory is: only addresses are compared."""
        return bool(np.shares_memory(self._addresses(x), self._addresses(y)))

    def empty(self, shape: tuple[int, int], like: Any) -> Any:
        """Uninitialised."""
        return like.new_empty(shape)

    def place(self, host: NDArray[Any]) -> Any:
        """A tensor in the same memory."""
        import torch

        return torch.from_numpy(host)

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """Through numpy's view of the same memory."""
        np.asarray(array)[...] = host
        return array

    @staticmethod
    def _addresses(array: Any) -> NDArray[Any]:
        size = array.element_size()
        interface = {
            "version": 3,
            "shape": tuple(array.shape),
            "strides": tuple(step * size for step in array.stride()),
            "typestr": f"|V{size}",
            "data": (array.data_ptr(), True),
        }
        return np.asarray(SimpleNamespace(__array_interface__=interface))


LIBRARIES: dict[str, Library] = {}
_by_package: dict[str, str] = {}


def register(name: str, library: Library) -> None:
    """Enter a library under the name that its kernels give it."""
    LIBRARIES[name] = library
    _by_package.update(dict.fromkeys(library.packages, name))


NUMPY = Numpy()
register("numpy", NUMPY)
register("torch", Torch())


def library(array: Any) -> str | None:
    """Name of the library that an array belongs to; None for anything else."""
    if isinstance(array, np.ndarray):
        return "numpy"
    # An array can exist only where its library has been imported, so that need not be imported to know one.
    name = _by_package.get(type(array).__module__.partition(".")[0])
    return name if name != "numpy" and hasattr(array, "shape") and hasattr(array, "dtype") else None


def of(array: Any) -> Library:
    """The library that an array belongs to."""
    return NUMPY if isinstance(array, np.ndarray) else LIBRARIES[library(array) or "numpy"]


def dtype(array: Any) -> str:
    """Name of the element type; for this and all that follow see `Library`."""
    return of(array).dtype(array)


def device(array: Any) -> str:
    """Where the elements live."""
    return of(array).device(array)


def oddity(array: Any) -> str | None:
    """What keeps an array from being a plain one."""
    return of(array).oddity(array)


def writable(array: Any) -> bool:
    """Whether the elements may be written."""
    return of(array).writable(array)


def overlaps_itself(array: Any) -> bool:
    """Whether two elements share memory."""
    return of(array).overlaps_itself(array)


def overlap(x: Any, y: Any) -> bool:
    """Whether two arrays of one library share an element's memory."""
    return of(x).overlap(x, y)


def empty(shape: tuple[int, int], like: Any) -> Any:
    """A new array of the same library, dtype and device."""
    return of(like).empty(shape, like)


def _meet(shape: tuple[int, ...], strides: Any, size: int) -> bool:
    """Whether two elements of a matrix share memory; strides and an element's size in bytes.

    Examples
    --------
    >>> x, y = np.broadcast_to(np.zeros(3), (2, 3)), np.zeros((4, 6))[::2, ::-3]
    >>> _meet(x.shape, x.strides, 8), _meet(y.shape, y.strides, 8)
    (True, False)
    """
    if 0 in shape:
        return False
    (short, count), (long, many) = sorted((abs(step), length) for step, length in zip(strides, shape, strict=True))
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
