"""What a product costs: 2mnp flops, and two models of the bytes it moves.

The compulsory model counts each operand once, which no algorithm can go below. The touched model counts what a rung asks
of the memory system when nothing stays in cache between two of its passes, which explains the ranking of the rungs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil


def flops(m: int, n: int, p: int) -> int:
    """Multiplications and additions of an (m, n) by (n, p) product: 2mnp.

    Each of the m p elements is a sum of n products; the first addition, to zero, is counted too.

    Examples
    --------
    >>> flops(256, 256, 256)
    33554432
    """
    return 2 * m * n * p


def compulsory_bytes(m: int, n: int, p: int, itemsize: int) -> int:
    """Bytes when both inputs are read once and the output is written once.

    Examples
    --------
    >>> compulsory_bytes(256, 256, 256, 4)
    786432
    """
    return (m * n + n * p + m * p) * itemsize


def touched_bytes(rung: str, m: int, n: int, p: int, itemsize: int, tile: Mapping[str, int] | None = None) -> int:
    """Bytes that a rung asks for if nothing stays in cache from one of its passes to the next.

    Parameters
    ----------
    rung : str
        A key of `kernels.registry.RUNGS`; an unknown rung is taken to read each operand once.
    m, n, p : int
        Shape of the product.
    itemsize : int
        Bytes an element.
    tile : mapping, optional
        ``width`` for block; ``tm``, ``tn``, ``tp`` for tiled.

    Examples
    --------
    >>> touched_bytes("elementwise", 256, 256, 256, 4) // touched_bytes("full", 256, 256, 256, 4)
    171
    """
    match rung:
        case "elementwise":
            elements = m * p * (2 * n + 1)
        case "rowwise":
            elements = m * (n + n * p + p)
        case "columnwise":
            elements = p * (m * n + n + m)
        case "block" if tile:
            elements = ceil(p / tile["width"]) * m * n + n * p + m * p
        case "tiled" if tile:
            passes = ceil(n / tile["tn"])
            elements = ceil(p / tile["tp"]) * m * n + ceil(m / tile["tm"]) * n * p + (2 * passes - 1) * m * p
        case _:
            return compulsory_bytes(m, n, p, itemsize)
    return elements * itemsize


def intensity(m: int, n: int, p: int, itemsize: int) -> float:
    """Arithmetic intensity in flops a byte under the compulsory model.

    Examples
    --------
    >>> round(intensity(256, 256, 256, 4), 1)
    42.7
    """
    moved = compulsory_bytes(m, n, p, itemsize)
    return flops(m, n, p) / moved if moved else 0.0
