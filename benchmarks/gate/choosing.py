"""Which benchmarks a change can touch: those of kernels that import a file that differs between the sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from shutil import copytree
from typing import Any

from benchmarks import tracked
from benchmarks.gate import alone
from benchmarks.gate.paired import Side
from benchmarks.gate.probe import Probed, probe
from benchmarks.gate.sides import NUMBA_CACHE
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker, WorkerFailure

SIZES, BATCHES = {64, 256}, {10, 1500}
"""Of the tracked grid, what is enough to tell whether a kernel got slower: one size of overhead, and one of arithmetic."""

DTYPE = "float32"
LOAD_S = 120.0
PROBE_S = 300.0


@dataclass(frozen=True)
class Chosen:
    """What is measured, why the rest is not, and what was seen of each kernel on each side."""

    cases: list[Case]
    left_out: dict[str, list[str]]
    probed: dict[str, dict[str, Probed | None]]


def grid(side: Side, device: str = "cpu") -> list[Case]:
    """A side's cases: every kernel of the device that its registry has, at the gate's sizes.

    Raises
    ------
    WorkerFailure
        If the side's packages cannot be imported, or know no registry like ours; it says which side.
    """
    worker = Worker(side.home)
    try:
        return worker.call(cases_here, LOAD_S, device)
    except WorkerFailure as failure:
        raise WorkerFailure(f"{side.name}: {failure}") from None
    finally:
        worker.close()


def cases_here(device: str = "cpu") -> list[Case]:
    """The cases of this process's registry; runs in a worker. None has a tile: each side has its own, which may differ."""
    found = tracked.all_cases("gemm", device) + tracked.all_cases("sgd", device)
    sizes = SIZES if device == "cpu" else {*tracked.GPU_SIZES}
    kept = [case for case in found if case.dtype == DTYPE and (case.shape.get("batch") or case.shape["m"]) in sizes | BATCHES]
    return [case.model_copy(update={"tile": None}) for case in kept]


def choose(
    base: Side,
    head: Side,
    changed: frozenset[str],
    only: Sequence[str],
    everything: bool,
    advance: Callable[[str, int], None] = lambda doing, total: None,
    device: str = "cpu",
) -> Chosen:
    """The cases to measure, and what is known of the kernels without measuring.

    Parameters
    ----------
    base, head : Side
    changed : frozenset of str
        Files that differ.
    only : sequence of str
        Patterns of titles or kernels; if empty, all on one thread: on several, a machine shared with others tells little.
    everything : bool
        Measure what the change cannot touch as well.
    advance : callable
        Told which kernel is looked at next, and how many there are.
    device : str
        Whose kernels.
    """
    grids = {side.name: grid(side, device) for side in (base, head)}
    everywhere = dict.fromkeys(grids[head.name] + grids[base.name])
    wanted = [case for case in everywhere if _matches(case, only)] if only else [case for case in everywhere if case.threads == 1]
    smallest = {case.kernel: case for case in sorted(wanted, key=lambda case: -max(case.shape.values()))}
    probed: dict[str, dict[str, Probed | None]] = {}
    left_out: dict[str, list[str]] = {}
    for kernel, case in sorted(smallest.items()):
        advance(kernel, len(smallest))
        seen = _probe(head, case)
        touched = seen is None or bool(changed & seen.files) or any(case not in known for known in grids.values())
        if everything or touched:
            probed[kernel] = {head.name: seen, base.name: _probe(base, case)}
        else:
            left_out.setdefault("imports no file that differs", []).append(kernel)
    cases = [case for case in wanted if case.kernel in probed]
    return Chosen(cases, left_out, probed)


def _matches(case: Case, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(case.title, pattern) or fnmatchcase(case.kernel, pattern) for pattern in patterns)


def _probe(side: Side, case: Case) -> Probed | None:
    """A look at a kernel in a fresh process; None if it fails: so it will when it is measured, with its reason.

    The process has a Numba cache of its own: code that another kernel's probe has left in the side's cannot be read. What it
    compiles is left there all the same, to be measured.
    """
    kept = side.home.environment.get(NUMBA_CACHE)
    with alone.folder() as folder:
        (fresh := folder / "numba").mkdir()
        worker = Worker(replace(side.home, environment={**side.home.environment, NUMBA_CACHE: str(fresh)}))
        try:
            return worker.call(probe, PROBE_S, case)
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
