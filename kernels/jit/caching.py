"""Functions that numba compiles and keeps on disk, until a source changes that they may contain.

Numba's own cache looks at the function's file alone: code that is inlined from another file would outlive a change there.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

from kernels.forking import held_over_forks

if numba.config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT is set, so nothing is compiled; unset it")

held_over_forks(global_compiler_lock, rank=2)

PACKAGE = Path(__file__).parents[1]

UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options for what compiled code alone calls: wrappers for others take time to compile. Python's call would crash."""


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls, and that is kept on disk with its callers.

    It is compiled once for all integers, not once for each literal.
    """
    made = numba.njit(**UNWRAPPED)(function)
    template = made.get_call_template
    made.get_call_template = lambda args, kws: template([types.unliteral(each) for each in args], kws)
    return made


def cached(signature: Any = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function as ``numba.njit(signature, **options)`` does, with numba's cache on disk.

    Where code cannot be kept on disk, or what lies there is damaged, it is compiled, and standard error says so in one line.

    Parameters
    ----------
    signature : numba signature, optional
        Compiled at once, for these types only; for any when first called with them, if left out.
    **options
        Of `numba.njit`, but for ``cache``.
    """

    def compile_(function: Callable[..., Any]) -> Any:
        made = numba.njit(**options)(function)
        try:
            made._cache = _Cache(function) if signature is None else _LightCache(function)
        except (OSError, RuntimeError) as error:  # no folder that can be written to
            _say(str(error))
        if signature is not None:
            made.compile(signature)
            made.disable_compile()
        return made

    return compile_


@contextmanager
def as_written() -> Iterator[None]:
    """Compile code that is emitted as it is to be without LLVM's optimisation, which takes twice as long as all else."""
    with global_compiler_lock:  # other threads' functions wait, and get theirs
        level = numba.config.OPT
        numba.config.OPT = type(level)(0)
        try:
            yield
        finally:
            numba.config.OPT = level


class _Cache(FunctionCache):
    """Numba's cache of a function, which is valid as long as the sources are the same. Code that cannot be kept is no error."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = source_stamp(Path(function.__code__.co_filename).parent)
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, stamp)

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say(f"{error.strerror}: {error.filename or self._cache_path}")


class _LightCache(_Cache):
    """For functions that need no more of numba at run time than its memory.

    Numba's own first makes itself ready to compile, which takes half a second: most of it imports scipy.linalg.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


class _Files(IndexDataCacheFile):
    """Numba's files of a function, each with the digest of its code in front: damaged code would be run."""

    def _load_index(self) -> Any:
        try:
            return super()._load_index()
        except Exception as error:  # a damaged pickle may raise anything
            _say(f"{self._index_path}: {error or type(error).__name__}")
            return {}

    def _load_data(self, name: str) -> Any:
        digest, code = (stored := Path(self._data_path(name)).read_bytes())[:DIGEST], stored[DIGEST:]
        if sha256(code).digest() != digest:
            _say(f"{self._data_path(name)}: damaged")
            raise OSError  # as if it were not there
        return pickle.loads(code)

    def _save_data(self, name: str, data: Any) -> None:
        code = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(sha256(code).digest() + code)


DIGEST = sha256().digest_size


_said: list[str] = []


def _say(why: str) -> None:
    """Say, once a process, that code is compiled that should have come from the disk."""
    if not _said:
        _said.append(why)
        print(
            f"minisgd: compiling what should have been kept on disk ({why.splitlines()[0]});"
            " set NUMBA_CACHE_DIR to a folder that can be written to",
            file=sys.stderr,
        )


@cache
def source_stamp(folder: Path) -> str:
    """A digest of this package's sources, and of a folder's; of the archives that they lie in, if they do."""
    digest = sha256()
    for place in dict.fromkeys((PACKAGE, folder)):
        archive = next((each for each in (place, *place.parents) if each.is_file()), None)
        sources = [archive] if archive else sorted(place.rglob("*.py") if place == PACKAGE else place.glob("*.py"))
        if not sources:
            raise RuntimeError(f"no sources in {place}")  # nothing would tell when its code is out of date
        for path in sources:
            digest.update(path.read_bytes())
    return digest.hexdigest()
