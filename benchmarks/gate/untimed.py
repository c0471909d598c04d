"""Kernels that need no clock: both sides run the same machine code, and the same Python around it.

A change in functions that numba compiles may come to the same instructions. Then the sides take the same time, if all else is the
same too: the program around those functions, which chooses and passes sizes; the libraries; files that may be read. Whatever this
cannot show is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.gate.machine_code import Code, look
from benchmarks.gate.paired import Side
from benchmarks.gate.programs import same_around
from benchmarks.gate.sides import Pair
from benchmarks.harness.records import Case

SAME_CODE = "same machine code"

Ask = Callable[..., Code | None]
"""``ask(side, look, cases, place)``: asks a fresh worker of a side; None if that fails."""


def same_code(
    pair: Pair, cases: Sequence[Case], files: Mapping[str, frozenset[str]], ask: Ask, advance: Callable[[str], None]
) -> list[Case]:
    """Those of the cases that run the same on both sides: all of a kernel, or none.

    Parameters
    ----------
    pair : Pair
    cases : sequence of Case
    files : mapping of str to frozenset of str
        The files that a kernel imports, by its name.
    ask : callable
        See `Ask`.
    advance : callable
        Told each kernel before it is looked at.
    """
    if pair.apart or not all(file.endswith(".py") for file in pair.changed):
        return []
    found: list[Case] = []
    for kernel, imported in files.items():
        own = [case for case in cases if case.kernel == kernel]
        if all(case.device == "cpu" for case in own) and _around(pair, imported, None):
            advance(kernel)
            found += own if _is_same(pair, own, ask) else []
    return found


def _is_same(pair: Pair, cases: Sequence[Case], ask: Ask) -> bool:
    base, head = (ask(side, look, cases, place(side)) for side in (pair.base, pair.head))
    if not (base and head and base.files == head.files and base.functions == head.functions):
        return False
    return _around(pair, base.files, (base, head))


def place(side: Side) -> str:
    """The folder of a side's files."""
    return side.place or side.home.path[0]


def _around(pair: Pair, files: frozenset[str], codes: tuple[Code, Code] | None) -> bool:
    """Whether the files that differ are the same but for what was compiled; or for what may have been, before that is known."""
    for file in pair.changed & files:
        try:
            one, other = (Path(place(side), file).read_bytes() for side in (pair.base, pair.head))
        except OSError:  # one side has it
            return False
        bodies = codes and (codes[0].bodies.get(file, frozenset()), codes[1].bodies.get(file, frozenset()))
        if not same_around(one, other, bodies):
            return False
    return True
