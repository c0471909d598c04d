"""Which benchmarks a change can touch: those of kernels that import a file that differs between the sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from shutil import copytree
from typing import Any, ParamSpec, TypeVar

from benchmarks.gate import alone
from benchmarks.gate.grids import Grid
from benchmarks.gate.paired import Side
from benchmarks.gate.probe import Probed, probe
from benchmarks.gate.sides import NUMBA_CACHE, Pair
from benchmarks.gate.untimed import same_code
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker, WorkerFailure

P = ParamSpec("P")
R = TypeVar("R")

PROBE_S = 300.0


@dataclass(frozen=True)
class Chosen:
    """What is measured, why the rest is not, what has failed already, and what was seen of each kernel on each side.

    Parameters
    ----------
    cases : list of Case
        To be measured.
    untimed : list of Case
        Those of which both sides run the same machine code: there is nothing to measure.
    left_out : dict of str to list of str
        Kernels, by reason.
    failed : dict of Case to str
        Why, and on which side.
    probed : dict of str to dict of str to Probed
        By kernel and side; None where it fails.
    """

    cases: list[Case]
    untimed: list[Case]
    left_out: dict[str, list[str]]
    failed: dict[Case, str]
    probed: dict[str, dict[str, Probed | None]]


def choose(
    pair: Pair,
    only: Sequence[str],
    everything: bool,
    advance: Callable[[str, int], None] = lambda doing, total: None,
    device: str = "cpu",
) -> Chosen:
    """The cases to measure, and what is known of the kernels without measuring.

    Parameters
    ----------
    pair : Pair
    only : sequence of str
        Patterns of titles or kernels; if empty, all on one thread: on several, a machine shared with others tells little.
    everything : bool
        Measure what the change cannot touch as well, and what runs the same machine code.
    advance : callable
        Told what is looked at next, and how many kernels there are.
    device : str
        Whose kernels.
    """
    base, head = (_wanted(pair.read(side, device), only) for side in (pair.base, pair.head))
    left_out, failed = _one_sided(base, head)
    both = [case for case in head.cases if case in base.cases]
    smallest = {case.kernel: case for case in sorted(both, key=lambda case: -max(case.shape.values(), default=0))}
    probed: dict[str, dict[str, Probed | None]] = {}
    for kernel, case in sorted(smallest.items()):
        advance(kernel, len(smallest))
        seen = _probe(pair.head, case)
        if everything or pair.apart or seen is None or pair.changed & seen.files:
            probed[kernel] = {pair.head.name: seen, pair.base.name: _probe(pair.base, case)}
        else:
            left_out.setdefault("imports no file that differs", []).append(kernel)
    cases = [case for case in both if case.kernel in probed]
    untimed: list[Case] = []
    if not everything:
        files = {kernel: frozenset().union(*(seen.files for seen in by.values() if seen)) for kernel, by in probed.items()}
        untimed = same_code(pair, cases, files, _ask, lambda kernel: advance(f"the machine code of {kernel}", len(smallest)))
    return Chosen([case for case in cases if case not in untimed], untimed, left_out, failed, probed)


def _one_sided(base: Grid, head: Grid) -> tuple[dict[str, list[str]], dict[Case, str]]:
    """What only one side has: new kernels, which are left out, and those that are gone or broken in head, which have failed."""
    left_out: dict[str, list[str]] = {}
    for case in head.cases:
        if case not in base.cases:
            why = base.missing.get(head.cases[case] or "")
            kernels = left_out.setdefault(f"base: {why}" if why else "base has nothing to compare with", [])
            kernels += [case.kernel] if case.kernel not in kernels else []
    gone = {case: by for case, by in base.cases.items() if case not in head.cases}
    failed = {case: f"head: {head.missing.get(by or '', 'it is not there any more')}" for case, by in gone.items()}
    known = {*base.cases.values(), *head.cases.values()}
    for name, why in head.missing.items():
        if name not in known:
            left_out.setdefault(f"head: {why}", []).append(name)
    return left_out, failed


def _wanted(grid: Grid, only: Sequence[str]) -> Grid:
    """What is asked for of a grid."""

    def fits(case: Case) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in only for name in (case.title, case.kernel))

    return Grid({case: by for case, by in grid.cases.items() if (fits(case) if only else case.threads == 1)}, grid.missing)


def _probe(side: Side, case: Case) -> Probed | None:
    """A look at a kernel; None if it fails: so it will when it is measured, with its reason."""
    return _ask(side, probe, case, side.place)


def _ask(side: Side, look: Callable[P, R], *args: P.args, **named: P.kwargs) -> R | None:
    """What a fresh process of a side says; None if it fails.

    The process has a Numba cache of its own: code that another process has left in the side's cannot be read. What it compiles is
    left there all the same, to be measured.
    """
    kept = side.home.environment.get(NUMBA_CACHE)
    with alone.folder() as folder:
        (fresh := folder / "numba").mkdir()
        worker = Worker(replace(side.home, environment={**side.home.environment, NUMBA_CACHE: str(fresh)}))
        try:
            return worker.call(look, PROBE_S, *args, **named)
        except WorkerFailure:
            return None
        finally:
            worker.close()
            if kept:
                copytree(fresh, kept, dirs_exist_ok=True)


def differences(probed: Mapping[str, Mapping[str, Probed | None]]) -> list[tuple[str, str, Any, Any]]:
    """Kernel, figure, base and head, of every figure that is not the same on both sides."""
    found = []
    for kernel, sides in probed.items():
        one, other = (seen.figures if (seen := sides[name]) else {} for name in ("base", "head"))
        found += [(kernel, name, one.get(name), other.get(name)) for name in {**one, **other} if one.get(name) != other.get(name)]
    return found
