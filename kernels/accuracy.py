"""How far a product may be from the exact one: a derived bound, not a chosen tolerance.

An inner product of length n, summed in any order, with or without fused multiply-adds, satisfies
|c - ĉ| <= gamma_n |a|·|b| with gamma_n = n u / (1 - n u), u the unit roundoff (Higham, "Accuracy and Stability of
Numerical Algorithms", 2nd ed., section 3.1). The reference here is a float64 product with an error of its own, so the
bound is the sum of the two gammas. Error and bound are relative to |A||B|, element by element, hence dimensionless.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def gamma(n: int, dtype: str) -> float:
    """gamma_n for sums of n products in the arithmetic of `dtype`.

    Examples
    --------
    >>> f"{gamma(256, 'float32'):.1e}"
    '1.5e-05'
    """
    nu = n * float(np.finfo(dtype).eps) / 2
    return nu / (1 - nu)


def bound(n: int, dtype: str) -> float:
    """Largest error that `error` may find in a correct product with inner dimension n."""
    return gamma(n, dtype) + gamma(n, "float64")


def error(a: Array, b: Array, c: Array) -> float:
    """Largest componentwise error of a product, relative to |A||B|.

    Parameters
    ----------
    a : (m, n) array
    b : (n, p) array
    c : (m, p) array
        What a kernel made of them; an element that is NaN or infinite counts as an infinite error.

    Returns
    -------
    float
        max |C - AB| / |A||B| over the elements, with 0/0 = 0; 0 for an empty product.
    """
    a, b, c = (x.astype(np.float64) for x in (a, b, c))
    if c.size == 0:
        return 0.0
    difference, scale = np.abs(c - a @ b), np.abs(a) @ np.abs(b)
    relative = np.divide(difference, scale, out=np.where(difference > 0, np.inf, 0.0), where=scale > 0)
    return float(np.max(np.where(np.isfinite(c), relative, np.inf)))
