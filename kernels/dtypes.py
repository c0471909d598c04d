"""The element types that kernels take: the size of each, and what the host, which lacks some, keeps its values in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Dtype(NamedTuple):
    """An element type: bytes an element, numpy's type that holds each of its values, and the bits of a significand."""

    itemsize: int
    host: str
    bits: int


DTYPES = {
    "float16": Dtype(2, "float16", 11),
    "bfloat16": Dtype(2, "float32", 8),
    "tf32": Dtype(4, "float32", 24),  # kept whole: what a tensor core rounds away is its kernel's doing
    "float32": Dtype(4, "float32", 24),
    "float64": Dtype(8, "float64", 53),
}

FLOATS = ("float32", "float64")
"""Those that every device has."""


def rounded(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """An array of a dtype's host type, each element rounded to the nearest value of the dtype, to even on a tie.

    Examples
    --------
    >>> rounded(np.array([1.005859375, -1.01171875], "float32"), "bfloat16").tolist()
    [1.0078125, -1.015625]
    >>> rounded(np.array([0.1], "float32"), "float32")
    array([0.1], dtype=float32)
    """
    known = DTYPES[dtype]
    dropped = np.finfo(known.host).nmant + 1 - known.bits
    if not dropped:
        return array.astype(known.host, copy=False)
    bits = array.astype(known.host).view(np.uint32)
    half = (1 << (dropped - 1)) - 1 + (bits >> dropped & 1)
    nearest: NDArray[Any] = ((bits + half.astype(np.uint32)) >> dropped << dropped).view(known.host)
    return nearest
