"""The one table of implementations; a kernel enters it by one decorator.

A kernel is a function ``(a, b, out)``, with ``a`` (m, n), ``b`` (n, p) and ``out`` (m, p), that overwrites every element
of ``out`` with the product, or returns it where arrays cannot be written. Its name is backend/rung. Other distributions add
theirs through the entry-point group ``kernels``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kernels import accuracy
from kernels.declared import check
from kernels.dtypes import FLOATS
from kernels.table import Table

RUNGS = {
    "elementwise": "one dot product an element: every multiplication waits for the call or the sum before it",
    "rowwise": "one vector-matrix product a row: m p calls become m, and b is read in the order it is stored",
    "columnwise": "one matrix-vector product a column: a column of b serves all m rows while it is in cache",
    "block": "a slab of columns at a time: each row of a meets a whole slab of b, which fits in cache",
    "tiled": "tiles in all three dimensions: every element fetched is used a tile's width of times",
    "full": "the whole product in one call: packed tiles, all the registers and SIMD lanes",
}
"""Every rung, lowest first, and what it does otherwise than the one before."""

BUILT_IN = {
    "python": "kernels.rungs.python_loops",
    "numpy": "kernels.rungs.numpy_ops",
    "numba": "kernels.packed",
    "torch": "kernels.rungs.torch_ops",
    "torch-graph": "kernels.rungs.torch_graphs:register",
    "torch-tf32": "kernels.rungs.torch_ops:tf32",
    "triton": "kernels.triton.launch",
    "triton-tf32": "kernels.triton.launch",
    "openblas": "kernels.rungs.cblas_ops:openblas",
    "mkl": "kernels.rungs.cblas_ops:mkl",
    "aocl": "kernels.rungs.cblas_ops:aocl",
    "numba-cuda": "kernels.cuda.ladder",
}
"""The backends that come with this package, and what registers the kernels of each: a module, or a function in one."""

APART = {
    "mxnet": "kernels.rungs.mxnet_ops",
    "tensorflow": "kernels.rungs.tensorflow_ops",
    "tf-function": "kernels.rungs.tensorflow_ops",
    "jax": "kernels.rungs.jax_ops",
    "jax-jit": "kernels.rungs.jax_ops",
}
"""Frameworks that are imported only when they are named: two in one process share its threads, and slow each other down.

``python -m benchmarks frameworks`` gives each an environment and a process of its own.
"""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Kernel:
    """A kernel and what it declares of itself.

    Parameters
    ----------
    backend, rung : str
        Together the kernel's name.
    function : callable
        ``function(a, b, out, **tile)``; returns nothing, or the product, where its library's arrays cannot be written.
    arrays : str
        The library whose arrays it takes, a key of `kernels.arrays.LIBRARIES`, which says how it is waited for.
    devices : tuple of str
        Where its arrays may live: "cpu", "cuda".
    dtypes : tuple of str
        Keys of `kernels.accuracy.FORMATS`: the element type of all three arrays, or "tfloat32".
    threads : bool
        Whether the number of threads makes a difference.
    compiles : bool
        Whether the first call compiles.
    peer : bool
        Whether it is a library's product, which users would pick instead.
    tile : mapping, or callable of a dtype's name to one
        Tile parameters in the function's order, with their defaults in elements.
    device_tiles : mapping of str to mapping
        The same by device, where it differs from the CPU's.
    variant : callable, optional
        ``variant(tile)`` returns the function with that tile built in, for a kernel that does not take its tile as arguments.
        Its `tile` is empty then.
    bound : callable
        ``bound(n, dtype)``: the largest error that `kernels.accuracy.error` may find at inner dimension n. That of sums of
        products, unless an algorithm such as Strassen's has another.
    """

    backend: str
    rung: str
    function: Callable[..., Any]
    arrays: str = "numpy"
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = FLOATS
    threads: bool = False
    compiles: bool = False
    peer: bool = False
    tile: Mapping[str, int] | Callable[[str], Mapping[str, int]] = field(default_factory=dict)
    device_tiles: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    variant: Callable[[Mapping[str, int]], Callable[..., Any]] | None = None
    bound: Callable[[int, str], float] = accuracy.bound

    @property
    def name(self) -> str:
        """backend/rung."""
        return f"{self.backend}/{self.rung}"

    def tile_for(self, dtype: str, device: str = "cpu") -> dict[str, int]:
        """Default tile sizes for a dtype on a device, empty if the kernel has none."""
        tile = self.device_tiles.get(device, self.tile)
        return dict(tile(dtype) if callable(tile) else tile)

    def dtype_for(self, array_type: str) -> str | None:
        """The dtype in which it multiplies arrays of an element type; None if it does not take them."""
        return next((dtype for dtype in self.dtypes if accuracy.array_type(dtype) == array_type), None)

    def bind(self, tile: Mapping[str, int]) -> Callable[[Any, Any, Any], Any]:
        """Fix the tile sizes, so that what is timed is ``(a, b, out)`` and no more."""
        if not tile:
            return self.function
        if self.variant:
            return self.variant(tile)
        function, sizes = self.function, tuple(tile[name] for name in self.tile_for(self.dtypes[0]))
        return lambda a, b, out: function(a, b, out, *sizes)


def _rank(entry: Kernel) -> tuple[int, str]:
    rungs = list(RUNGS)
    return rungs.index(entry.rung) if entry.rung in RUNGS else len(rungs), entry.rung


PRODUCTS: Table[Kernel] = Table("kernel", "kernels", BUILT_IN, _rank, APART)

find, available, unavailable = PRODUCTS.find, PRODUCTS.available, PRODUCTS.unavailable


def kernel(backend: str, rung: str, **declared: Any) -> Callable[[Function], Function]:
    """Register the decorated function; the keywords are those of `Kernel`.

    Raises
    ------
    ValueError
        If another function has that name already, or something is declared that no kernel has.

    Examples
    --------
    >>> @kernel("docs", "full")
    ... def full(a, b, out):
    ...     out[...] = a @ b
    >>> find("docs/full").dtypes
    ('float32', 'float64')
    """

    def register(function: Function) -> Function:
        made = Kernel(backend, rung, function, **declared)
        check(made)
        PRODUCTS.add(made)
        return function

    return register
