"""What needs no statistics: the files that a kernel imports, and what its compiled code looks like.

Runs in a fresh worker of a side, whose Numba cache is empty, so that all code is compiled there and can be read. The files
are those that were imported, so this module imports a workload and what belongs to it when it is asked for one.
"""

from __future__ import annotations

import gc
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.devices import device
from benchmarks.harness.records import Case

IMPORTS = {"gemm": ("kernels",), "sgd": ("kernels", "minisgd")}
"""Packages of the suite that a workload runs on."""

WORKSPACE_UNIT = 64 << 10

FUSED = re.compile(r"^vfn?m(add|sub)\w*|^fml[as]\b")
VECTOR = re.compile(r"%([xyz])mm|\b[vq]\d+\b")
BYTES = {"x": 16, "y": 32, "z": 64}
ON_STACK = re.compile(r"^v?mov[a-z]*\s.*\(%r[sb]p\)|^(st|ld)[rp]\s+q.*\[sp")


@dataclass(frozen=True)
class Probed:
    """Files imported, relative to the side's folder, and figures by name."""

    files: frozenset[str]
    figures: dict[str, float]


def probe(case: Case, place: str = "") -> Probed:
    """Run a case's kernel once, and look at what came of it; `place` is the side's folder, the first on its path if empty."""
    here = device(case.device)
    work = _workload(case)(case, here)
    here.seconds(work.calls(1))
    folder = Path(place or sys.path[0])
    loaded = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    inside = [path.relative_to(folder) for path in loaded if path.is_relative_to(folder)]
    others = {*IMPORTS["sgd"]} - {*IMPORTS.get(case.workload, ())}  # which the harness has imported
    files = frozenset(str(path) for path in inside if path.parts[0] not in others)
    return Probed(files, {**_compiled(folder), **_operations(case, work), **_workspace(case)})


def _workload(case: Case) -> Any:
    """The workload, and no other: what it imports is looked at."""
    if case.workload == "test":
        from benchmarks.harness.workloads.pytest_test import Test

        return Test
    if case.workload == "sgd":
        from benchmarks.harness.workloads.sgd import Epoch

        return Epoch
    from benchmarks.harness.workloads.gemm import Product

    return Product


def reading(assembly: str) -> dict[str, int]:
    r"""Count fused multiply-adds and vectors kept on the stack, and tell the widest vector in bytes.

    Examples
    --------
    >>> reading("vfmadd231ps %zmm1, %zmm2, %zmm3\nvmovups %zmm3, 64(%rsp)\nret")
    {'multiply-adds': 1, 'spills': 1, 'vector bytes': 64}
    """
    fused = spilled = widest = 0
    for line in map(str.strip, assembly.splitlines()):
        fused += bool(FUSED.match(line))
        registers = VECTOR.findall(line)
        spilled += bool(registers and ON_STACK.match(line))
        widest = max([widest, *(BYTES.get(each, 16) for each in registers)])
    return {"multiply-adds": fused, "spills": spilled, "vector bytes": widest}


def _compiled(folder: Path) -> dict[str, float]:
    """Of all functions of the suite and of the side that numba has compiled in this process."""
    if "numba" not in sys.modules:
        return {}
    from numba.core.dispatcher import Dispatcher

    # Closures are compiled too, and no module knows them.
    ours = [each for each in gc.get_objects() if issubclass(type(each), Dispatcher) and _is_ours(each, folder)]
    texts = [text for each in ours for text in each.inspect_asm().values()]
    if not texts:
        return {}
    found = [reading(text) for text in texts]
    return {
        "specialisations": len(texts),
        "multiply-adds": sum(each["multiply-adds"] for each in found),
        "spills": sum(each["spills"] for each in found),
        "vector bytes": max(each["vector bytes"] for each in found),
    }


def _is_ours(dispatcher: Any, folder: Path) -> bool:
    function = dispatcher.py_func
    named = function.__module__.partition(".")[0] in IMPORTS["sgd"]
    return bool(dispatcher.overloads) and (named or Path(function.__code__.co_filename).is_relative_to(folder))


def _operations(case: Case, work: Any) -> dict[str, float]:
    """Calls of torch's library a step."""
    if case.workload != "sgd" or case.backend != "torch":
        return {}
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
        calls = 0

        def __torch_dispatch__(self, function: Any, kinds: Any, operands: Any = (), options: Any = None) -> Any:
            Count.calls += 1
            return function(*operands, **(options or {}))

    with Count():  # type: ignore[no-untyped-call]
        for call in work.calls(1):
            call()
    return {"library calls a step": Count.calls / -(-case.shape["n"] // case.shape["batch"])}


def _workspace(case: Case) -> dict[str, float]:
    """Of a product; in units that the placement of memory does not change."""
    if case.workload != "gemm":
        return {}
    from benchmarks.harness.memory import workspace  # imports both workloads: not before the files are listed

    found = workspace(case)
    return {} if found != found else {"workspace KiB": round(found / WORKSPACE_UNIT) * WORKSPACE_UNIT // 1024}
