"""One product by a kernel, on operands laid out as asked, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import accuracy, arrays
from kernels.contract import matmul
from kernels.registry import Kernel
from kernels.testing.layouts import Layout

Array = NDArray[Any]


def operands(shape: tuple[int, int, int], dtype: str, seed: int) -> tuple[Array, Array]:
    """Normally distributed a (m, n) and b (n, p), for a case's dtype."""
    (m, n, p), random = shape, np.random.default_rng(seed)
    stored = accuracy.array_type(dtype)
    return random.standard_normal((m, n)).astype(stored), random.standard_normal((n, p)).astype(stored)


def multiply(kernel: Kernel, a: Array, b: Array, layouts: Sequence[Layout]) -> tuple[Array, str | None]:
    """A product by a kernel.

    Parameters
    ----------
    kernel : Kernel
    a, b : (m, n) and (n, p) array
    layouts : sequence of three
        Of a, b and out, which is full of NaN before the call.

    Returns
    -------
    (m, p) array
    str or None
        Which input the kernel changed.
    """
    library = arrays.LIBRARIES[kernel.arrays]
    laid = [layouts[0](a), layouts[1](b), layouts[2](np.full((a.shape[0], b.shape[1]), np.nan, a.dtype))]
    placed = [library.place(each) for each in laid]
    out = placed[2] if library.writable(placed[2]) else None
    c = np.array(library.fetch(matmul(placed[0], placed[1], out=out, kernel=kernel.name)))
    for name, before, after in (("a", a, placed[0]), ("b", b, placed[1])):
        if not np.array_equal(before, library.fetch(after), equal_nan=True):
            return c, f"changed its input {name}"
    return c, None


def beyond(kernel: Kernel, a: Array, b: Array, c: Array, dtype: str) -> str | None:
    """By how much a product is beyond the kernel's bound; None if it is within."""
    error, bound = accuracy.error(a, b, c), kernel.bound(a.shape[1], dtype)
    return None if error <= bound else f"error {error:.1e}, beyond its bound of {bound:.1e}"


def wrong(kernel: Kernel, dtype: str, shape: tuple[int, int, int], layouts: Sequence[Layout], seed: int = 0) -> str | None:
    """What is wrong with a product of normally distributed operands of shape (m, n, p); None if nothing is."""
    a, b = operands(shape, dtype, seed)
    c, changed = multiply(kernel, a, b, layouts)
    found = changed or beyond(kernel, a, b, c, dtype)
    return found and f"{found}, at (m, n, p) = {shape}"
