"""Views of every kind that a kernel must take: one matrix, laid out in memory in many ways."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def c(x: Array) -> Array:
    return np.ascontiguousarray(x)


def fortran(x: Array) -> Array:
    return np.asfortranarray(x)


def strided(x: Array) -> Array:
    room = np.full((2 * x.shape[0], 3 * x.shape[1]), np.nan, x.dtype)
    view = room[::2, ::3]
    view[...] = x
    return view


def negative(x: Array) -> Array:
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def unaligned(x: Array) -> Array:
    room = np.zeros(x.nbytes + 1, np.uint8)
    view = room[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


# Each combination is a compilation for numba; these have every layout in every place, and mixtures.
MIXED = [(fortran, c, c), (c, fortran, strided)]
FOR_NUMPY = [(each,) * 3 for each in (c, fortran, strided, negative, unaligned)] + MIXED
FOR_TORCH = [(each,) * 3 for each in (c, fortran, strided)] + MIXED  # a tensor cannot be otherwise


def combinations(library: str) -> list[tuple[Any, Any, Any]]:
    return FOR_TORCH if library == "torch" else FOR_NUMPY


def place(x: Array, library: str) -> Any:
    """As the library's array, on the same memory."""
    if library == "torch":
        import torch

        return torch.from_numpy(x)
    return x
