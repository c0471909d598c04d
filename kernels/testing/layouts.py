"""Views of every kind that a kernel must take: one matrix, laid out in memory in many ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Layout = Callable[[Array], Array]


def c(x: Array) -> Array:
    """Row after row."""
    return np.ascontiguousarray(x)


def fortran(x: Array) -> Array:
    """Column after column."""
    return np.asfortranarray(x)


def strided(x: Array) -> Array:
    """Every second row and every third column of a larger matrix, the rest of which is NaN."""
    room = np.full((2 * x.shape[0], 3 * x.shape[1]), np.nan, x.dtype)
    view = room[::2, ::3]
    view[...] = x
    return view


def negative(x: Array) -> Array:
    """From the last element back to the first."""
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def unaligned(x: Array) -> Array:
    """A byte off the elements' own alignment."""
    room = np.zeros(x.nbytes + 1, np.uint8)
    view = room[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


# Each combination is a compilation for numba; these have every layout in every place, and mixtures.
MIXED: list[tuple[Layout, ...]] = [(fortran, c, c), (c, fortran, strided)]
FOR_NUMPY = [(each,) * 3 for each in (c, fortran, strided, negative, unaligned)] + MIXED
FOR_OTHERS = [(each,) * 3 for each in (c, fortran, strided)] + MIXED
"""For tensors, which have no negative strides and no elements off their alignment."""


def combinations(library: str) -> list[tuple[Layout, ...]]:
    """Layouts of a, b and out, for a library of `kernels.arrays.LIBRARIES`."""
    return FOR_NUMPY if library == "numpy" else FOR_OTHERS
