"""The public call: check what the contract asks of the arguments, then run one kernel."""

from __future__ import annotations

from typing import Any

from kernels import accuracy, arrays, registry


def matmul(a: Any, b: Any, out: Any = None, kernel: str = "numba/full") -> Any:
    """Multiply two matrices with a named kernel.

    Parameters
    ----------
    a : (m, n) array
        Of the library that the kernel takes, numpy's or torch's or another; any strides, any size from 0 up.
    b : (n, p) array
        Of the same library, dtype and device as `a`.
    out : (m, p) array, optional
        Overwritten with the product; a new array if left out. May not overlap `a` or `b`. A library whose arrays cannot be
        written (JAX) takes none.
    kernel : str
        backend/rung, as printed by ``python -m benchmarks list``.

    Returns
    -------
    array
        `out`. JAX and MXNet return before it is complete, and wait when its elements are read.

    Raises
    ------
    TypeError
        If an argument is not an array of the kernel's library, or not of a dtype it takes; if it is masked, a `numpy.matrix`, a
        sparse tensor, or one that requires a gradient.
    ValueError
        If ranks, shapes or devices do not fit, `out` is read-only or overlaps itself or an input, or no kernel has that name.
    Unavailable
        If the kernel's backend is not installed; the message has the install command.

    Examples
    --------
    >>> import numpy as np
    >>> matmul(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]), kernel="python/elementwise")
    array([[1., 2.],
           [3., 4.]])
    """
    entry = registry.find(kernel)
    for name, x in {"a": a, "b": b}.items():
        _check(name, x, entry, like=a)
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"b: expected {a.shape[1]} rows, as many as a has columns, got shape {tuple(b.shape)}")
    shape = (a.shape[0], b.shape[1])
    if out is None:
        out = arrays.empty(shape, like=a)
    else:
        _check("out", out, entry, like=a)
        if tuple(out.shape) != shape:
            raise ValueError(f"out: expected shape {shape}, got {tuple(out.shape)}")
        if not arrays.writable(out):
            raise ValueError("out: expected a writable array, got a read-only one")
        if arrays.overlaps_itself(out):
            raise ValueError("out: expected elements with memory of their own, got an array that overlaps itself")
        for name, x in {"a": a, "b": b}.items():
            if arrays.overlap(out, x):
                raise ValueError(f"out: expected memory of its own, got an array that overlaps {name}")
    dtype = entry.dtype_for(arrays.dtype(a))
    assert dtype is not None, "checked"
    returned = entry.bind(entry.tile_for(dtype, arrays.device(a)))(a, b, out)
    return out if returned is None else returned


def _check(name: str, x: Any, entry: registry.Kernel, like: Any) -> None:
    """Library, rank, dtype and device of one argument."""
    if arrays.library(x) != entry.arrays:
        raise TypeError(
            f"{name}: {entry.name} expects {arrays.LIBRARIES[entry.arrays].expected},"
            f" got {type(x).__module__}.{type(x).__qualname__}"
        )
    if odd := arrays.oddity(x):
        raise TypeError(f"{name}: {entry.name} expects a plain array, got {odd}")
    if len(x.shape) != 2:
        raise ValueError(f"{name}: expected 2 dimensions, got {len(x.shape)}")
    if entry.dtype_for(arrays.dtype(x)) is None:
        expected = " or ".join(dict.fromkeys(map(accuracy.array_type, entry.dtypes)))
        raise TypeError(f"{name}: {entry.name} expects {expected}, got {arrays.dtype(x)}")
    if arrays.dtype(x) != arrays.dtype(like):
        raise TypeError(f"{name}: expected {arrays.dtype(like)} as in a, got {arrays.dtype(x)}")
    if arrays.device(x) not in entry.devices:
        raise ValueError(f"{name}: {entry.name} runs on {' or '.join(entry.devices)}, got {arrays.device(x)}")
    if arrays.device(x) != arrays.device(like):
        raise ValueError(f"{name}: expected an array on {arrays.device(like)} as a is, got {arrays.device(x)}")
