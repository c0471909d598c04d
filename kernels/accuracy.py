"""How far a product may be from the exact one: a derived bound, not a chosen tolerance.

An inner product of length n, summed in any order, with or without fused multiply-adds, satisfies
|c - ĉ| <= gamma_n |a|·|b| with gamma_n = n u / (1 - n u), u the unit roundoff (Higham, "Accuracy and Stability of
Numerical Algorithms", 2nd ed., section 3.1). The reference here is a float64 product with an error of its own, so the
bound is the sum of the two gammas. Error and bound are relative to |A||B|, element by element, hence dimensionless.

Where a product's formats differ, it rounds in three places, and `bound` is made of the three (see `Format`): what an operand
loses on its way into the multiplier, what the sum loses, and what the sum loses on its way into `out`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK = 4
"""The fewest products that a tensor core sums at once: 4 on Volta, more since (Fasi, Higham, Mikaitis and Pranesh, "Numerical
behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330, 2021)."""


class Format(NamedTuple):
    """Where a product rounds, and by how much at most, relative to what is rounded.

    Parameters
    ----------
    stored : str
        Element type of the arrays.
    operand : float
        When an operand enters the multiplier; 0 if that takes all its bits.
    summand : float
        Each time that a product or a sum of them is cut to the accumulator's width.
    blocked : bool
        Whether the sums are a tensor core's. It aligns a block of products and the sum so far to the largest among them, cuts
        off what lies below float32's last place, adds, and cuts the result off: one more cut for the sum and one for the result
        than there are products. To cut off is to lose up to twice the unit roundoff of rounding to nearest.
    result : float
        When the sum is stored; 0 if `out` is as wide as the accumulator.
    """

    stored: str
    operand: float = 0.0
    summand: float = 2.0**-24
    blocked: bool = False
    result: float = 0.0


FORMATS = {
    "float32": Format("float32"),
    "float64": Format("float64", summand=2.0**-53),
    "float16": Format("float16", summand=2.0**-23, blocked=True, result=2.0**-11),
    "bfloat16": Format("bfloat16", summand=2.0**-23, blocked=True, result=2.0**-8),
    "tfloat32": Format("float32", operand=2.0**-10, summand=2.0**-23, blocked=True),
}
"""By what a case calls its dtype. tfloat32 is arrays of float32 whose products take 11 bits of each element, the others cut off:
no array has that type. float16 and bfloat16 are summed in float32."""


def array_type(dtype: str) -> str:
    """Element type of the arrays of a case, such as float32 for tfloat32.

    Examples
    --------
    >>> array_type("tfloat32"), array_type("float16")
    ('float32', 'float16')
    """
    return FORMATS[dtype].stored if dtype in FORMATS else dtype


def gamma(n: int, dtype: str) -> float:
    """What sums of n products in the arithmetic of `dtype` may lose: gamma_n, with a tensor core's cuts for n where it is one.

    Examples
    --------
    >>> f"{gamma(256, 'float32'):.1e}"
    '1.5e-05'
    >>> f"{gamma(256, 'float16'):.1e}"
    '4.6e-05'
    """
    made = FORMATS[dtype]
    cuts = n + 2 * -(-n // BLOCK) if made.blocked else n
    nu = cuts * made.summand
    return nu / (1 - nu)


def bound(n: int, dtype: str) -> float:
    """Largest error that `error` may find in a correct product with inner dimension n.

    Operands enter as a (1 + d) with |d| <= operand, the sum is one of these with `gamma`, and is stored as c (1 + d) with
    |d| <= result; the reference adds its own.

    Examples
    --------
    >>> [f"{bound(256, dtype):.1e}" for dtype in ("float32", "tfloat32", "float16", "bfloat16")]
    ['1.5e-05', '2.0e-03', '5.3e-04', '4.0e-03']
    """
    made, total = FORMATS[dtype], 0.0
    for each in (made.operand, made.operand, gamma(n, dtype), made.result):
        total += each + total * each  # (1 + total)(1 + each) - 1, without losing digits to the 1
    return total + gamma(n, "float64")


def error(a: Array, b: Array, c: Array) -> float:
    """Largest componentwise error of a product, relative to |A||B|.

    Parameters
    ----------
    a : (m, n) array
    b : (n, p) array
    c : (m, p) array
        A kernel's result; an element that is NaN or infinite counts as an infinite error. Of a float16 the error by underflow
        is not counted: up to half of the smallest subnormal.

    Returns
    -------
    float
        max |C - AB| / |A||B| over the elements, with 0/0 = 0; 0 for an empty product.
    """
    underflow = float(np.finfo(np.float16).smallest_subnormal) / 2 if c.dtype == np.float16 else 0.0
    a, b, c = (x.astype(np.float64) for x in (a, b, c))
    if c.size == 0:
        return 0.0
    difference, scale = np.maximum(np.abs(c - a @ b) - underflow, 0), np.abs(a) @ np.abs(b)
    relative = np.divide(difference, scale, out=np.where(difference > 0, np.inf, 0.0), where=scale > 0)
    return float(np.max(np.where(np.isfinite(c), relative, np.inf)))
