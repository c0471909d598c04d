"""The machine code that a kernel's benchmarks run, as numba made it, and which of the side's functions run as nothing else.

Runs in a fresh worker whose Numba cache is empty, so that all of it is compiled there.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

from numba.core.dispatcher import Dispatcher
from numba.core.event import install_recorder

from benchmarks.harness import timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Case

LABEL = re.compile(r'^("[^"]*"|[\w.]+):|^\s*\.comm\s+("[^"]*"|[\w.]+)', re.MULTILINE)
"""Of what is in the code itself; any other symbol is the name of what it calls elsewhere."""

SYMBOL = re.compile(r'"[^"]*"|[\w.]+')

ABOUT = (".file", ".type", ".size", ".globl", ".weak", ".cfi", ".comm")
"""Directives that make no code and no data."""

LITERAL = (".ascii", ".asciz", ".section")
"""Directives whose operands are no symbols."""

UNREAD = re.compile(r'^"?\.const\.(pickle|missing Environment)')
"""Data that is read on the way to an error alone: pickled exceptions, with the line that raises them, and a message."""


@dataclass(frozen=True)
class Code:
    """What a kernel's benchmarks run.

    Parameters
    ----------
    files : frozenset of str
        The side's that were imported, relative to its folder.
    bodies : dict of str to frozenset of int
        By file, the first lines of numba's functions that the interpreter has not run: they were compiled, or are not called.
    functions : dict of str to list of (str, str)
        By name, in the order in which they were compiled: types, and a digest of the assembly.
    """

    files: frozenset[str]
    bodies: dict[str, frozenset[int]]
    functions: dict[str, list[tuple[str, str]]]


def look(cases: Sequence[Case], place: str) -> Code:
    """Make a kernel's cases ready as they are measured, and call each until it is warm.

    Parameters
    ----------
    cases : sequence of Case
        On the CPU.
    place : str
        The side's folder.

    Raises
    ------
    ValueError
        If compiled code has Python's objects in it: what it does is not all in the machine code.
    """
    here, interpreted = device("cpu"), set[tuple[str, int]]()

    def called(frame: FrameType, event: str, argument: Any) -> None:
        interpreted.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    with install_recorder("numba:compile") as recorder:
        threading.settrace(called)
        sys.settrace(called)
        try:
            for case in cases:
                with timing.prepared(case, here) as work:
                    here.seconds(work.calls(1))
                    timing.warm_up(work, here, None)
        finally:
            sys.settrace(None)
            threading.settrace(None)
    compiled = list(dict.fromkeys(event.data["dispatcher"] for _, event in recorder.buffer))
    folder = Path(place)
    loaded = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    bodies: dict[str, set[int]] = {}
    for each in [*compiled, *_loaded()]:
        code = each.py_func.__code__
        if (code.co_filename, code.co_firstlineno) not in interpreted and (path := Path(code.co_filename)).is_relative_to(folder):
            bodies.setdefault(str(path.relative_to(folder)), set()).add(code.co_firstlineno)
    return Code(
        frozenset(str(path.relative_to(folder)) for path in loaded if path.is_relative_to(folder)),
        {file: frozenset(lines) for file, lines in bodies.items()}, _functions(compiled),
    )  # fmt: skip


def _loaded() -> list[Any]:
    """Numba's functions in all modules; those that were not compiled by now are none of the kernel's."""
    found = [value for module in list(sys.modules.values()) for value in list(getattr(module, "__dict__", {}).values())]
    return [value for value in found if isinstance(value, Dispatcher)]


def _functions(compiled: list[Any]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for each in compiled:
        named = found.setdefault(f"{each.py_func.__module__}.{each.py_func.__qualname__}", [])
        for made in each.overloads.values():
            if made.objectmode or made.lifted:
                raise ValueError("compiled code has Python's objects in it")
            digest = sha256(normalised(made.library.get_asm_str()).encode()).hexdigest()
            named.append((str(made.signature), digest))
    return found


def normalised(assembly: str) -> str:
    r"""Assembly whose own symbols are numbered in the order in which they come; what is called elsewhere keeps its name.

    Examples
    --------
    >>> one = normalised("f_1:\n\tcallq\tsin\n\tjmp\tf_1")
    >>> one == normalised("g_2:\n\tcallq\tsin\n\tjmp\tg_2"), one == normalised("f_1:\n\tcallq\tcos\n\tjmp\tf_1")
    (True, False)
    """
    own = {label or common for label, common in LABEL.findall(assembly)}
    numbers: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"symbol {len(numbers)}") if found[0] in own else found[0]

    return "\n".join(line if line.lstrip().startswith(LITERAL) else SYMBOL.sub(numbered, line) for line in _read(assembly))


def _read(assembly: str) -> Iterator[str]:
    """The lines that make code, or data that it reads."""
    skipped = False
    for line in assembly.splitlines():
        if line and not line[0].isspace():
            skipped = bool(UNREAD.match(line))
        elif line.lstrip().startswith(".section") or not line:
            skipped = False
        if not skipped and line.strip() and not line.lstrip().startswith(ABOUT):
            yield line
