"""Environment variables that tie a library to other code than it would choose for this CPU, and measuring without them.

A figure taken under one says what the variable makes of the library, not what the library does: numpy's OpenBLAS, told
``OPENBLAS_CORETYPE=Haswell``, does half of what it does by itself on a CPU with AVX-512. Libraries read them as they are loaded,
so whatever measures drops them before it imports numpy; its workers and the tools that it runs inherit what is left.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from rich.console import Console

AS_IS = "MINISGD_AS_IS"
"""Set it to keep them in asv and pytest-benchmark too, which know no --as-is."""


class Tie(NamedTuple):
    """The library that reads a variable, and what it then does."""

    library: str
    does: str


TIES = {
    "OPENBLAS_CORETYPE": Tie("openblas", "another CPU's kernels"),
    "OPENBLAS_L2_SIZE": Tie("openblas", "blocks for another cache"),
    "OPENBLAS_BLOCK_FACTOR": Tie("openblas", "blocks of another height"),
    "MKL_ENABLE_INSTRUCTIONS": Tie("mkl", "an older instruction set"),
    "MKL_CBWR": Tie("mkl", "code that gives the same bits on every CPU"),
    "MKL_DEBUG_CPU_TYPE": Tie("mkl", "another CPU's code, up to 2020"),
    "MKL_DISABLE_FAST_MM": Tie("mkl", "workspace allocated anew in each call"),
    "MKL_FAST_MEMORY_LIMIT": Tie("mkl", "workspace from other memory"),
    "BLIS_ARCH_TYPE": Tie("blis", "another CPU's kernels"),
    "BLIS_MODEL_TYPE": Tie("blis", "blocks for another model of the CPU"),
    "AOCL_ENABLE_INSTRUCTIONS": Tie("blis", "another CPU's kernels"),
    "NVPL_BLAS_DEBUG_CPU_TYPE": Tie("nvpl", "another CPU's code"),
    "ATEN_CPU_CAPABILITY": Tie("torch", "loops of an older instruction set"),
    "ONEDNN_MAX_CPU_ISA": Tie("onednn", "an older instruction set"),
    "ONEDNN_CPU_ISA_HINTS": Tie("onednn", "narrower vectors"),
    "ONEDNN_DEFAULT_FPMATH_MODE": Tie("onednn", "arithmetic of fewer bits"),
    "DNNL_MAX_CPU_ISA": Tie("onednn", "an older instruction set"),
    "DNNL_CPU_ISA_HINTS": Tie("onednn", "narrower vectors"),
    "DNNL_DEFAULT_FPMATH_MODE": Tie("onednn", "arithmetic of fewer bits"),
    "NPY_DISABLE_CPU_FEATURES": Tie("numpy", "loops without some instructions"),
    "NPY_ENABLE_CPU_FEATURES": Tie("numpy", "loops with these instructions alone"),
}
"""Sources: OpenBLAS, docs/runtime_variables.md; oneMKL Developer Guide, "Instruction Set Specific Dispatching" and "Conditional
Numerical Reproducibility"; AOCL User Guide, "Using Dynamic Dispatch"; oneDNN, "CPU Dispatcher Control", "CPU ISA Hints" and
"Floating-point Math Mode"; PyTorch, aten/src/ATen/native/DispatchStub.cpp; NumPy, "CPU build options", "Runtime dispatch"."""

_left_out: list[str] = []


def release() -> None:
    """Drop the variables from this process's environment; not once numpy is loaded, which has read them."""
    if "numpy" not in sys.modules:
        _drop()


def setup() -> None:
    """Drop them in asv's own process, which calls this of its plugins: it measures nothing itself, but starts what does."""
    _drop()
    if line := said():
        print(line)


def _drop() -> None:
    if AS_IS not in os.environ:
        _left_out.extend(name for name in TIES if os.environ.pop(name, None) is not None)


def in_force(*libraries: str) -> list[str]:
    """Variables in the environment that tie one of these libraries."""
    return [name for name, tie in TIES.items() if tie.library in libraries and name in os.environ]


def said() -> str | None:
    """What was left out and why, or what is in force, in one line; None where there is nothing of either."""
    if kept := [name for name in TIES if name in os.environ]:
        return f"The environment ties libraries: {_listed(kept)}."
    if _left_out:
        return f"Left out of the environment, so that libraries run their own code: {_listed(_left_out)}. --as-is keeps them."
    return None


def tell(screen: Console) -> None:
    """Print that line, if there is one."""
    if line := said():
        screen.print(line, style="yellow", markup=False, soft_wrap=True)


def _listed(names: list[str]) -> str:
    return "; ".join(f"{name} ({TIES[name].library}: {TIES[name].does})" for name in names)


def _prepare(as_is: bool) -> None:
    if as_is:
        os.environ[AS_IS] = "1"
    release()


AsIs = Annotated[
    bool,
    typer.Option(
        "--as-is", callback=_prepare, help="Keep variables that tie a library to other code, such as OPENBLAS_CORETYPE: to"
        " emulate a narrower CPU, with NUMBA_CPU_NAME.",
    ),
]  # fmt: skip
"""Of every command that measures: typer sees to it before the command's body, which may import numpy."""
