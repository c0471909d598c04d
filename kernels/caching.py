"""Functions compiled by numba and kept on disk, for as long as no source has changed that they may be made of.

Numba's cache looks at a function's own file; code of other files that is inlined in it would live on after its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

if numba.config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT is set, so nothing is compiled; unset it")

PACKAGE = Path(__file__).parent

UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options for what compiled code alone calls: wrappers for others take time to compile. Python's call would crash."""


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that compiled code alone calls, in which it is kept; once for whole numbers, not for each literal."""
    made = numba.njit(**UNWRAPPED)(function)
    template = made.get_call_template
    made.get_call_template = lambda args, kws: template([types.unliteral(each) for each in args], kws)
    return made


def cached(signature: Any = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function as ``numba.njit(signature, **options)`` does, with numba's cache on disk.

    Parameters
    ----------
    signature : numba signature, optional
        Compiled at once, for these types only; for any when first called with them, if left out.
    **options
        Of `numba.njit`, but for ``cache``.
    """

    def compile_(function: Callable[..., Any]) -> Any:
        made = numba.njit(**options)(function)
        made._cache = FunctionCache(function) if signature is None else _Cache(function)
        made._cache._cache_file._source_stamp = source_stamp(Path(function.__code__.co_filename).parent)
        if signature is not None:
            made.compile(signature)
            made.disable_compile()
        return made

    return compile_


@contextmanager
def as_written() -> Iterator[None]:
    """Compile without LLVM's passes, which take twice as long as the rest, code that is written out as it is to be."""
    with global_compiler_lock:  # other threads' functions wait, and get theirs
        level = numba.config.OPT
        numba.config.OPT = type(level)(0)
        try:
            yield
        finally:
            numba.config.OPT = level


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's, for functions that need no more of numba at run time than its memory.

    Numba's own first makes itself ready to compile, which takes half a second: most of it imports scipy.linalg.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


@cache
def source_stamp(folder: Path) -> str:
    """A digest of this package's sources, and of a folder's."""
    sources = sorted({*PACKAGE.rglob("*.py"), *folder.glob("*.py")})
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
