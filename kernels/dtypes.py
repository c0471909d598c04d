"""The element types that kernels take: the size of each, and what the host, which lacks some, keeps its values in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.accuracy import array_type


class Stored(NamedTuple):
    """An element type of arrays: bytes an element, numpy's type that holds each of its values, and the bits of a significand."""

    itemsize: int
    host: str
    bits: int


STORED = {
    "float16": Stored(2, "float16", 11),
    "bfloat16": Stored(2, "float32", 8),
    "float32": Stored(4, "float32", 24),
    "float64": Stored(8, "float64", 53),
}

FLOATS = ("float32", "float64")
"""Those that every device has."""


def stored(dtype: str) -> Stored:
    """What the arrays of a case's dtype are made of.

    Examples
    --------
    >>> stored("tfloat32").host, stored("bfloat16").itemsize
    ('float32', 2)
    """
    return STORED[array_type(dtype)]


def rounded(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """An array of the host's type for a dtype, each element rounded to the nearest that its arrays hold, to even on a tie.

    Examples
    --------
    >>> rounded(np.array([1.005859375, -1.01171875], "float32"), "bfloat16").tolist()
    [1.0078125, -1.015625]
    >>> rounded(np.array([0.1], "float32"), "float32")
    array([0.1], dtype=float32)
    """
    known = stored(dtype)
    dropped = np.finfo(known.host).nmant + 1 - known.bits
    if not dropped:
        return array.astype(known.host, copy=False)
    bits = array.astype(known.host).view(np.uint32)
    half = (1 << (dropped - 1)) - 1 + (bits >> dropped & 1)
    nearest: NDArray[Any] = ((bits + half.astype(np.uint32)) >> dropped << dropped).view(known.host)
    return nearest
