"""A table of implementations that fills itself backend by backend, on demand.

It starts with the modules that come with a package, and goes on with those that other distributions name in an entry-point
group. A module is imported when one of its entries is asked for, and registers them as it is imported; or a function of it does,
when that is called. To list them all, a stranger's module is first imported by a process of its own: one that crashes or never
ends is listed with the reason, and hides no other.
"""

from __future__ import annotations

import difflib
import fnmatch
import importlib
import importlib.metadata
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stdout
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from kernels.forking import held_over_forks


class Entry(Protocol):
    """What a table asks of its entries."""

    @property
    def name(self) -> str:
        """Unique in its table. It begins with the backend, which ends at the first "/" or "-" unless it has a dash of its own."""

    @property
    def backend(self) -> str:
        """Key of the module, or function, that registers it."""

    @property
    def function(self) -> Callable[..., Any]:
        """The implementation."""


DISTRIBUTIONS = {"numba_cuda": "'minisgd[cuda]'", "sklearn": "scikit-learn", "tensorflow": "tensorflow-cpu"}
"""Where a package is installed under another name than it is imported by."""

TRIAL_S = 60.0
"""How long a stranger's module may take to be imported where all are listed."""

TRIAL = """
import importlib, sys
sys.path[:] = sys.argv[2:]
try:
    importlib.import_module(sys.argv[1])
except Exception:
    pass  # told by whoever imports it next
print("\\ndone", flush=True)
"""

E = TypeVar("E", bound=Entry)


class UnknownKernel(ValueError):
    """A name is not in the table."""


class Unavailable(ImportError):
    """A backend cannot be imported on this machine."""


class Table(Generic[E]):
    """Implementations of one thing, by name.

    Parameters
    ----------
    noun : str
        What an entry is called in an error message.
    group : str
        Entry-point group of other distributions.
    built_in : mapping of str to str
        Backend to module, or module:function, in the order in which they are listed.
    rank : callable
        Sorts the entries of a backend.
    apart : mapping of str to str, optional
        As `built_in`, of backends that are imported only when one of theirs is asked for by name, not when all are listed.
    """

    def __init__(
        self,
        noun: str,
        group: str,
        built_in: Mapping[str, str],
        rank: Callable[[E], Any],
        apart: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._noun, self._group, self._built_in, self._rank, self._apart = noun, group, dict(built_in), rank, dict(apart)
        self._entries: dict[str, E] = {}
        self._reasons: dict[str, str | None] = {}
        self._places: dict[str, str] | None = None

    def add(self, entry: E) -> None:
        """Register an entry.

        Raises
        ------
        ValueError
            If another function has its name already.
        """
        before = self._entries.setdefault(entry.name, entry)
        if before.function is not entry.function:
            raise ValueError(f"{self._noun} {entry.name!r} is already registered, by {before.function.__module__}")

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def backends(self) -> list[str]:
        """Everything that registers entries, loaded or not."""
        return list(self._modules)

    def unavailable(self) -> dict[str, str]:
        """Backends that cannot be imported, each with the reason and the install command."""
        listed = [backend for backend in self._modules if backend not in self._apart]
        return {backend: reason for backend in listed if (reason := self._load(backend, named=False))}

    def available(self, pattern: str = "*") -> list[E]:
        """Entries whose name matches a shell pattern, by backend, then by rank."""
        self.unavailable()
        for backend in self._likely(pattern):
            self._load(backend)  # one that is apart, and named
        backends = [*self._built_in, *sorted({entry.backend for entry in self._entries.values()} - self._built_in.keys())]
        matching = [entry for entry in self._entries.values() if fnmatch.fnmatchcase(entry.name, pattern)]
        return sorted(matching, key=lambda entry: (backends.index(entry.backend), self._rank(entry)))

    def find(self, name: str, trial: bool = False) -> E:
        """Look an entry up by its name, importing no other backend if it can be helped.

        With `trial` a stranger's module is first imported by a process of its own, as where all are listed: one that crashes is
        unavailable, and does not take this process with it.

        Raises
        ------
        UnknownKernel
            If there is none of that name; the message has the nearest one.
        Unavailable
            If its backend cannot be imported; the message has the install command.
        """
        for backend in self._likely(name):
            if name not in self._entries and (reason := self._load(backend, named=not trial)):
                raise Unavailable(f"{self._noun} {name!r} is unavailable: {reason}")
        if name not in self._entries:
            names = [entry.name for entry in self.available()]
            if name not in self._entries:
                nearest = difflib.get_close_matches(name, names, n=1, cutoff=0)
                raise UnknownKernel(f"unknown {self._noun} {name!r}: did you mean {nearest[0]!r}?")
        return self._entries[name]

    def registered_by(self, backend: str) -> list[E]:
        """The entries that importing a backend's module adds.

        Raises
        ------
        Unavailable
            If it cannot be imported; the message has the reason.
        """
        before = set(self._entries)
        if reason := self._load(backend):
            raise Unavailable(f"{self._noun}s of {backend!r} are unavailable: {reason}")
        return [entry for name, entry in self._entries.items() if name not in before]

    def _likely(self, name: str) -> list[str]:
        """What stands before the first "/" or "-"; but a backend may have dashes of its own, and register entries of any."""
        likely = [name.partition("/")[0], re.split("[/-]", name)[0]]
        return [each for each in dict.fromkeys(likely) if each in self._modules]

    @property
    def _modules(self) -> dict[str, str]:
        """What registers each backend; another distribution cannot replace one that comes with the package."""
        if self._places is None:  # a cached_property of Python 3.11 takes a lock, which may be held when a process forks
            ours, others = self._built_in | self._apart, importlib.metadata.entry_points(group=self._group)
            # Ours come first where all are listed: a stranger that takes one of their names is refused, and not they.
            self._places = ours | {point.name: point.value for point in others if point.name not in ours}
        return self._places

    def _load(self, backend: str, named: bool = True) -> str | None:
        """Have a backend's entries registered, once; why that failed, if it did. A stranger's is tried first, unless named."""
        with _loading:
            if backend not in self._reasons:
                place, ours = self._modules[backend], backend in self._built_in or backend in self._apart
                with nullcontext() if ours else redirect_stdout(sys.stderr):  # what programs read is not a stranger's to print on
                    self._reasons[backend] = (None if named or ours else _try(place)) or _import(place)
            return self._reasons[backend]


_loading = held_over_forks(threading.RLock(), rank=0)
"""One for all tables: two threads that import modules which import each other find them half made."""


def _try(place: str) -> str | None:
    """Import a module in a process of its own; how that ended, if it crashed, left or did not end."""
    command = [sys.executable, "-c", TRIAL, place.partition(":")[0], *sys.path]
    try:
        tried = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_S, check=False)
    except subprocess.TimeoutExpired:
        return f"its import did not end within {TRIAL_S:g} s"
    status = tried.returncode
    if status < 0:
        return f"its import died of {signal.Signals(-status).name}"
    left = tried.stdout.split()[-1:] != [b"done"]  # os._exit(0) is a status of 0, too
    return f"its import ended the process with status {status}" if status or left else None


def _import(place: str) -> str | None:
    module, _, function = place.partition(":")
    try:
        found = importlib.import_module(module)
        if function:
            getattr(found, function)()
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed: pip install {DISTRIBUTIONS.get(error.name or '', error.name)}"
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything, and must not hide the entries of others
        return f"{type(error).__name__} on import: {error}".splitlines()[0]
    return None
