"""The one table of implementations; a kernel enters it by one decorator.

A kernel is a function ``(a, b, out)``, with ``a`` (m, n), ``b`` (n, p) and ``out`` (m, p), that overwrites every element
of ``out`` with the product. Its name is backend/rung. The table fills itself backend by backend, on demand: the modules
named in `BUILT_IN`, and those that other distributions name in the entry-point group ``kernels``.
"""

from __future__ import annotations

import difflib
import fnmatch
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

RUNGS = {
    "elementwise": "one dot product an element: every multiplication waits for the call or the sum before it",
    "rowwise": "one vector-matrix product a row: m p calls become m, and b is read in the order it is stored",
    "columnwise": "one matrix-vector product a column: a column of b serves all m rows while it is in cache",
    "block": "a slab of columns at a time: each row of a meets a whole slab of b, which fits in cache",
    "tiled": "tiles in all three dimensions: every element fetched is used a tile's width of times",
    "full": "the whole product in one call: packed tiles, all the registers and SIMD lanes",
}
"""Every rung, lowest first, and why it is faster than the one before."""

BUILT_IN = {
    "python": "kernels.python_loops",
    "numpy": "kernels.numpy_ops",
    "numba": "kernels.numba_loops",
    "torch": "kernels.torch_ops",
}
"""The backends that come with this package, and the module that registers the kernels of each."""

FLOATS = ("float32", "float64")

Function = TypeVar("Function", bound=Callable[..., Any])


class UnknownKernel(ValueError):
    """A kernel's name is not in the table."""


class Unavailable(ImportError):
    """A backend cannot be imported on this machine."""


@dataclass(frozen=True)
class Kernel:
    """A kernel and what it declares of itself.

    Parameters
    ----------
    backend, rung : str
        Together the kernel's name.
    function : callable
        ``function(a, b, out, **tile)``.
    arrays : {"numpy", "torch"}
        The library whose arrays it takes.
    devices : tuple of str
        Where its arrays may live: "cpu", "cuda".
    dtypes : tuple of str
        Element types, the same for all three arrays.
    threads : bool
        Whether the number of threads makes a difference.
    compiles : bool
        Whether the first call compiles.
    tile : mapping, or callable of a dtype's name to one
        Tile parameters in the function's order, with their defaults in elements.
    workspace : callable, optional
        ``workspace(m, n, p)``: elements that a call allocates beside a constant.
    """

    backend: str
    rung: str
    function: Callable[..., None]
    arrays: str = "numpy"
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = FLOATS
    threads: bool = False
    compiles: bool = False
    tile: Mapping[str, int] | Callable[[str], Mapping[str, int]] = field(default_factory=dict)
    workspace: Callable[[int, int, int], int] | None = None

    @property
    def name(self) -> str:
        """backend/rung."""
        return f"{self.backend}/{self.rung}"

    def tile_for(self, dtype: str) -> dict[str, int]:
        """Default tile sizes for a dtype, empty if the kernel has none."""
        return dict(self.tile(dtype) if callable(self.tile) else self.tile)

    def bind(self, tile: Mapping[str, int]) -> Callable[[Any, Any, Any], None]:
        """Fix the tile sizes, so that what is timed is ``(a, b, out)`` and no more."""
        if not tile:
            return self.function
        function, sizes = self.function, tuple(tile[name] for name in self.tile_for(self.dtypes[0]))
        return lambda a, b, out: function(a, b, out, *sizes)


_TABLE: dict[str, Kernel] = {}


def kernel(backend: str, rung: str, **declared: Any) -> Callable[[Function], Function]:
    """Register the decorated function; the keywords are those of `Kernel`.

    Raises
    ------
    ValueError
        If another function has that name already.

    Examples
    --------
    >>> @kernel("docs", "full")
    ... def full(a, b, out):
    ...     out[...] = a @ b
    >>> find("docs/full").dtypes
    ('float32', 'float64')
    """

    def register(function: Function) -> Function:
        entry = Kernel(backend, rung, function, **declared)
        before = _TABLE.setdefault(entry.name, entry)
        if before.function is not function:
            raise ValueError(f"kernel {entry.name!r} is already registered, by {before.function.__module__}")
        return function

    return register


@cache
def _modules() -> dict[str, str]:
    """Module of each backend, this package's own first."""
    others = importlib.metadata.entry_points(group="kernels")
    return {point.name: point.value for point in others} | BUILT_IN


@cache
def _load(backend: str) -> str | None:
    """Import a backend's module; say why if that fails."""
    try:
        importlib.import_module(_modules()[backend])
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed: pip install {error.name}"
    except Exception as error:  # a stranger's module may raise anything, and must not hide the kernels of others
        return f"{type(error).__name__} on import: {error}".splitlines()[0]
    return None


def unavailable() -> dict[str, str]:
    """Backends that cannot be imported, each with the reason and the install command."""
    return {backend: reason for backend in _modules() if (reason := _load(backend))}


def available(pattern: str = "*") -> list[Kernel]:
    """Kernels whose name matches a shell pattern, by backend, then from the lowest rung up."""
    unavailable()
    backends = [*BUILT_IN, *sorted({entry.backend for entry in _TABLE.values()} - BUILT_IN.keys())]
    rungs = list(RUNGS)
    matching = [entry for entry in _TABLE.values() if fnmatch.fnmatchcase(entry.name, pattern)]

    def place(entry: Kernel) -> tuple[int, int, str]:
        return backends.index(entry.backend), rungs.index(entry.rung) if entry.rung in RUNGS else len(rungs), entry.rung

    return sorted(matching, key=place)


def find(name: str) -> Kernel:
    """Look a kernel up by its name, importing no other backend if it can be helped.

    Raises
    ------
    UnknownKernel
        If there is none of that name; the message has the nearest one.
    Unavailable
        If its backend cannot be imported; the message has the install command.
    """
    backend = name.partition("/")[0]
    if name not in _TABLE and backend in _modules() and (reason := _load(backend)):
        raise Unavailable(f"kernel {name!r} is unavailable: {reason}")
    if name not in _TABLE:
        names = [entry.name for entry in available()]
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0)
        raise UnknownKernel(f"unknown kernel {name!r}: did you mean {nearest[0]!r}?")
    return _TABLE[name]
