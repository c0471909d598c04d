"""What a benchmark is called: its title here, and its names in asv and in pytest. They are made and parsed in this module alone.

It imports nothing but the standard library: asv loads it for every commit, those included that the harness cannot measure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.harness.records import Case

TESTS = {"gemm": "benchmarks/test_gemm.py::test_product", "sgd": "benchmarks/test_sgd.py::test_epoch"}
"""The pytest test of each workload."""

ANY = "any"
"""The dtype of a case that says none: a stranger's test."""

SEPARATORS = {"gemm": "/", "sgd": "-"}
"""What ends the backend in a kernel's name, by workload."""

TITLE = re.compile(r"(?P<kernel>.+?)-(?P<conditions>\d+(?:x\d+)*-(?:.+-)?(?P<dtype>[bt]?float\d+)-x(?P<threads>\d+).*)")


class Title(NamedTuple):
    """The parts of a title: the kernel, everything behind it, and of that the dtype and the number of threads."""

    kernel: str
    conditions: str
    dtype: str
    threads: int


def size(shape: Mapping[str, int]) -> str:
    """A shape as it is typed; the batch size is not part of it.

    Examples
    --------
    >>> size({"m": 256, "n": 256, "p": 256}), size({"n": 1500, "d": 5, "k": 1, "batch": 10})
    ('256', '1500x5x1')
    """
    sizes = [each for name, each in shape.items() if name != "batch"]
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))


def title(case: Case) -> str:
    """A case in one word, as stores and dashboards know it. Defaults are left out: own tile, layout nn, cpu, warm."""
    if case.dtype == ANY:
        return case.kernel
    parts = [case.kernel, size(case.shape)]
    if case.chosen_tile:
        parts.append("x".join(f"{name}{edge}" for name, edge in (case.tile or {}).items()))
    if case.layout != "nn":
        parts.append(case.layout)
    if "batch" in case.shape:
        parts.append(f"batch{case.shape['batch']}")
    parts += [case.dtype, f"x{case.threads}"]
    return "-".join(parts + [each for each in (case.device, case.cache) if each not in ("cpu", "warm")])


def parse_title(text: str) -> Title:
    """The parts of a title.

    Raises
    ------
    ValueError
        If the text is not a title.

    Examples
    --------
    >>> parse_title("numba-fused-1500x5x1-batch10-float32-x2")
    Title(kernel='numba-fused', conditions='1500x5x1-batch10-float32-x2', dtype='float32', threads=2)
    """
    found = TITLE.fullmatch(text)
    if not found:
        raise ValueError(f"not the title of a benchmark: {text}")
    return Title(found["kernel"], found["conditions"], found["dtype"], int(found["threads"]))


def class_name(kernel: str, device: str = "cpu") -> str:
    """The class that asv knows a kernel by; on another device than the CPU it is a class of its own.

    Examples
    --------
    >>> class_name("numba/tiled"), class_name("numba-fused"), class_name("torch/full", "cuda")
    ('NumbaTiled', 'NumbaFused', 'TorchFullOnCuda')
    """
    named = "".join(word[:1].upper() + word[1:] for word in kernel.replace("/", "-").split("-"))
    return named if device == "cpu" else f"{named}On{device.capitalize()}"


def asv_name(case: Case, metric: str = "track_seconds") -> str:
    """A case as asv names it: module, class, method, and the parameters' reprs."""
    measured_at = case.shape["batch" if case.workload == "sgd" else "m"]
    where = () if case.device == "cpu" else (case.device,)
    parameters = ", ".join(map(repr, (case.kernel, measured_at, case.dtype, case.threads, *where)))
    return f"{case.workload}.{class_name(case.kernel, case.device)}.{metric}({parameters})"


def parse_asv(benchmark: str) -> tuple[str, str] | None:
    """Workload and metric of one of asv's benchmarks; None if its name has not three parts or names no workload of ours.

    Examples
    --------
    >>> parse_asv("gemm.NumbaTiled.track_seconds"), parse_asv("lu.Lapack.time_lu")
    (('gemm', 'track_seconds'), None)
    """
    parts = benchmark.split(".")
    return (parts[0], parts[2]) if len(parts) == 3 and parts[0] in SEPARATORS else None


def split_kernel(workload: str, kernel: str) -> tuple[str, str]:
    """Backend and rung of a kernel; every step of SGD is one rung.

    Examples
    --------
    >>> split_kernel("gemm", "numba/tiled"), split_kernel("sgd", "numba-fused")
    (('numba', 'tiled'), ('numba', 'step'))
    """
    backend, _, rung = kernel.partition(SEPARATORS[workload])
    return backend, rung if workload == "gemm" else "step"


def pytest_name(case: Case) -> str:
    """A case as pytest names it."""
    return f"{TESTS[case.workload]}[{title(case)}]"
