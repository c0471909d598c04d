"""The product of the parts that a rank has: a registered kernel, on numpy's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from kernels import arrays, registry

Array = NDArray[Any]
Multiply = Callable[[Array, Array, Array], None]


def local(name: str, dtype: str) -> Multiply:
    """A kernel as a function of numpy arrays ``(a, b, out)``, in place of whose memory its library gets none of its own.

    Raises
    ------
    UnknownKernel, Unavailable
        As `kernels.find` does.
    ValueError
        If the kernel does not run on the CPU, or not in that dtype.
    """
    kernel = registry.find(name)
    if "cpu" not in kernel.devices or dtype not in kernel.dtypes:
        raise ValueError(f"{name}: expected a kernel that multiplies {dtype} on the CPU")
    library, bound = arrays.LIBRARIES[kernel.arrays], kernel.bind(kernel.tile_for(dtype))
    if library is arrays.NUMPY:
        return bound

    def multiply(a: Array, b: Array, out: Array) -> None:
        made = bound(*map(library.place, (a, b, out)))
        if library.wait:
            library.wait(out if made is None else made)
        if made is not None:
            out[...] = library.fetch(made)

    return multiply
