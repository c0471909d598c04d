"""The one generator of cases: from kernels, shapes and conditions to what is measured; and the presets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import get_args

from benchmarks.harness.host.threads import CORES
from benchmarks.harness.records import Case
from benchmarks.harness.workloads.transfer import WAYS
from kernels import registry
from kernels.accuracy import FORMATS
from kernels.dtypes import FLOATS
from kernels.table import E, Table, Unavailable, UnknownKernel
from minisgd import steps
from minisgd.common.cli import UsageError

LARGEST = {
    "cpu": {
        **dict.fromkeys(("python/elementwise", "mxnet/elementwise", "tensorflow/elementwise", "jax/elementwise"), 64),
        "*/elementwise": 128,
        "*/rowwise": 1024,
        "*/columnwise": 1024,
    },
    "cuda": {"torch*/elementwise": 128, "torch*/rowwise": 1024, "torch*/columnwise": 1024},
}
"""The largest size at which a preset measures a rung on a device: a larger one takes long and shows nothing new."""

DTYPES_ON = {"cpu": FLOATS, "cuda": tuple(FORMATS)}
"""Element types that are measured on a device; a CPU has half precision in software at best."""


@dataclass(frozen=True)
class Preset:
    """A named choice of cases, and how long to sample each in each round."""

    kernels: tuple[str, ...] = ("*",)
    sizes: tuple[int, ...] = (256,)
    dtypes: tuple[str, ...] = ("float32",)
    threads: tuple[int, ...] = tuple(sorted({1, CORES}))
    budget_s: float = 0.06
    shrink: bool = True


PRESETS = {
    "quick": Preset(),
    "d2l": Preset(
        kernels=("[!p]*/elementwise", "*/columnwise", "*/full", "*/block"),  # the interpreter's loop is not the book's
        threads=(CORES,),
        shrink=False,
    ),
    "sizes": Preset(sizes=(32, 64, 128, 256, 512), threads=(1,), budget_s=0.02),
    "full": Preset(
        sizes=(16, 31, 64, 97, 128, 255, 256, 384, 509, 512, 768, 1024, 1531, 2048),
        dtypes=FLOATS,
        budget_s=0.03,
    ),
}

ON_CUDA = PRESETS | {
    "quick": Preset(sizes=(1024,), dtypes=tuple(FORMATS)),
    "sizes": replace(PRESETS["sizes"], sizes=(128, 256, 512, 1024, 2048, 4096)),
    "full": replace(PRESETS["full"], sizes=(255, 256, 509, 512, 1024, 1531, 2048, 4096, 8192), dtypes=tuple(FORMATS)),
}
"""The presets there: a GPU is filled by products of a thousand rows, and has more element types."""


BATCHES = (1, 10, 100, 1500)
"""The chapter's batch sizes."""

TRANSFERRED = (256, 1024, 4096)
"""Sizes of the matrices that are copied: 256 KB, whose copy is mostly waiting, to 64 MB."""

DIGITS = 9
"""Of a size at most: the bytes of a matrix of two such sizes are still a number of 64 bits."""

AIRFOIL = {"n": 1500, "d": 5, "k": 1}
"""The shape of the chapter's data."""

QUICK_STEPS = {"cpu": ("[!t]*", "torch"), "cuda": ("*",)}
"""Steps that a quick run measures on a device: on a CPU torch's variants cost seconds an epoch at batch 1, or to compile."""


def preset(name: str, device: str = "cpu") -> Preset:
    """A preset as it is on a device.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in PRESETS:
        raise UsageError(f"--preset {name}: expected {', '.join(PRESETS)}")
    return (ON_CUDA if device == "cuda" else PRESETS)[name]


def parse_size(text: str) -> dict[str, int]:
    """A shape from "256" or "512x64x512".

    Raises
    ------
    UsageError
        If it is not one or three positive whole numbers of up to `DIGITS` digits.

    Examples
    --------
    >>> parse_size("512x64x512")
    {'m': 512, 'n': 64, 'p': 512}
    """
    parts = text.lower().split("x")
    readable = all(part.isascii() and part.isdigit() and len(part) <= DIGITS and int(part) > 0 for part in parts)
    if len(parts) not in (1, 3) or not readable:
        expected = "a positive whole number such as 256, or m x n x p such as 512x64x512"
        raise UsageError(f"--size {text}: expected {expected}, of up to {DIGITS} digits each")
    m, n, p = (int(part) for part in (parts if len(parts) == 3 else parts * 3))
    return {"m": m, "n": n, "p": p}


def check_threads(threads: Iterable[int]) -> None:
    """Refuse more threads than there are cores, and fewer than one."""
    for count in threads:
        if not 1 <= count <= CORES:
            raise UsageError(f"--threads {count}: expected 1 to {CORES}, the cores that this process may use")


def check_dtypes(dtypes: Iterable[str], devices: Iterable[str] = ("cpu",)) -> None:
    """Refuse what is measured on none of the devices."""
    known = list(dict.fromkeys(name for device in devices for name in DTYPES_ON[device]))
    for name in dtypes:
        if name not in known:
            raise UsageError(f"--dtype {name}: expected {', '.join(known[:-1])} or {known[-1]}")


def check_layouts(layouts: Iterable[str]) -> None:
    """Refuse what no operands are laid out by."""
    known = get_args(Case.model_fields["layout"].annotation)
    for name in layouts:
        if name not in known:
            raise UsageError(f"--layout {name}: expected {', '.join(known[:-1])} or {known[-1]}")


def select(patterns: Sequence[str], devices: Sequence[str] = ("cpu",)) -> list[registry.Kernel]:
    """Kernels that match any of the patterns and run on any of the devices, in the table's order."""
    chosen = [entry for entry in matching(registry.PRODUCTS, patterns) if set(devices) & set(entry.devices)]
    if not chosen:
        where = " or ".join(devices)
        raise UsageError(f"--kernel {' '.join(patterns)}: no such kernel runs on {where}; see python -m benchmarks list")
    return chosen


def matching(table: Table[E], patterns: Sequence[str]) -> list[E]:
    """Entries that match any of the patterns, in the table's order; a pattern that matches none is refused."""
    for pattern in patterns:
        if not table.available(pattern):
            try:
                table.find(pattern)
            except (UnknownKernel, Unavailable) as error:
                raise UsageError(f"--kernel {pattern}: {error}") from None
    names = {entry.name for pattern in patterns for entry in table.available(pattern)}
    return [entry for entry in table.available() if entry.name in names]


def case(
    kernel: registry.Kernel,
    shape: Mapping[str, int],
    dtype: str,
    *,
    threads: int = 1,
    cache: str = "warm",
    device: str = "cpu",
    tile: Mapping[str, int] | None = None,
) -> Case:
    """One case; the kernel's own tile unless another is given."""
    own = kernel.tile_for(dtype, device)
    chosen = dict(tile or own)
    return Case.model_validate(
        {
            "kernel": kernel.name,
            "rung": kernel.rung,
            "backend": kernel.backend,
            "device": device,
            "dtype": dtype,
            "shape": dict(shape),
            "tile": chosen or None,
            "chosen_tile": chosen != own,
            "threads": threads,
            "cache": cache,
        }
    )


def with_kernel(case: Case, kernel: registry.Kernel) -> Case:
    """The same case for another kernel."""
    tile = kernel.tile_for(case.dtype, case.device) or None
    named = {"kernel": kernel.name, "rung": kernel.rung, "backend": kernel.backend}
    return case.model_copy(update={**named, "tile": tile, "chosen_tile": False})


def generate(
    kernels: Iterable[registry.Kernel],
    shapes: Sequence[Mapping[str, int]],
    dtypes: Sequence[str],
    threads: Sequence[int],
    cache: str = "warm",
    device: str = "cpu",
    shrink: bool = False,
) -> list[Case]:
    """Every combination that makes a difference, each once.

    A kernel that does not run on the device is left out. One that makes no use of threads is measured on one, and so is every
    kernel off the CPU. With `shrink`, a rung is measured at its `LARGEST` in place of a larger size.
    """
    found = {}
    for kernel, shape, dtype in product(kernels, shapes, dtypes):
        if device not in kernel.devices or dtype not in kernel.dtypes or dtype not in DTYPES_ON[device]:
            continue
        sizes = {name: at_most(kernel.name, size, device) for name, size in shape.items()} if shrink else shape
        for count in threads if kernel.threads and device == "cpu" else [1]:
            one = case(kernel, sizes, dtype, threads=count, cache=cache, device=device)
            found[one.model_dump_json()] = one
    return list(found.values())


def epochs(
    patterns: Sequence[str],
    shapes: Sequence[Mapping[str, int]],
    batches: Sequence[int],
    dtypes: Sequence[str],
    threads: Sequence[int],
    device: str = "cpu",
) -> list[Case]:
    """Cases of the workload sgd: every step by shape, batch size, dtype, and threads where they make a difference.

    Raises
    ------
    UsageError
        If a pattern matches no step, none that runs on the device, or a batch size is not from 1 to n.
    """
    chosen = [entry for entry in matching(steps.STEPS, patterns) if device in entry.devices]
    if not chosen:
        raise UsageError(f"--kernel {' '.join(patterns)}: no such step runs on {device}")
    for shape, batch in product(shapes, batches):
        if not 1 <= batch <= shape["n"]:
            raise UsageError(f"--batch-size {batch}: expected 1 to {shape['n']}, the number of examples")
    return [
        Case(
            workload="sgd",
            kernel=entry.name,
            rung="step",
            backend=entry.backend,
            device=device,
            dtype=dtype,
            shape={**shape, "batch": batch},
            threads=count,
        )
        for entry, shape, dtype, batch in product(chosen, shapes, dtypes, batches)
        if dtype in entry.dtypes and (not entry.singles or batch == shape["k"] == 1)
        for count in (threads if entry.threads and device == "cpu" else [1])
    ]


def transfers(shapes: Sequence[Mapping[str, int]], device: str) -> list[Case]:
    """Cases of the workload transfer: every way that a matrix of float32 is copied to a device, and back."""
    return [
        Case(
            workload="transfer",
            kernel=each.name,
            rung=each.rung,
            backend=each.backend,
            device=device,
            dtype="float32",
            shape={name: shape[name] for name in "mn"},
            threads=1,
        )
        for each, shape in product(WAYS.values(), shapes)
    ]


def at_most(name: str, size: int, device: str = "cpu") -> int:
    """A size, or the kernel's `LARGEST` on the device if that is smaller."""
    return min([size, *(largest for pattern, largest in LARGEST[device].items() if fnmatchcase(name, pattern))])
