"""Environment variables that make a library run other code than it would choose for this CPU; what measures drops them.

A figure measured under such a variable is not the library's: with ``OPENBLAS_CORETYPE=Haswell`` numpy's OpenBLAS reaches half of
its GFLOPS on a CPU with AVX-512. Libraries read the variables when they are loaded. So a command that measures drops them before
it imports numpy, and its workers and the tools that it runs inherit the environment without them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from rich.console import Console

AS_IS = "MINISGD_AS_IS"
"""Environment variable. If it is set, they are kept: asv and pytest-benchmark have no option --as-is."""


class Tie(NamedTuple):
    """The library that reads a variable, and what it then uses."""

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
    """Drop the variables from this process's environment, unless numpy is loaded and has read them."""
    if "numpy" not in sys.modules:
        _drop()


def setup() -> None:
    """Drop the variables in asv's process, which calls this function of a plugin before it starts what measures."""
    _drop()
    if line := said():
        print(line)


def _drop() -> None:
    if AS_IS not in os.environ:
        _left_out.extend(name for name in TIES if os.environ.pop(name, None) is not None)


def in_force(*libraries: str) -> list[str]:
    """Variables in the environment that one of these libraries reads."""
    return [name for name, tie in TIES.items() if tie.library in libraries and name in os.environ]


def said() -> str | None:
    """One line on the variables that are in force, or on those that were dropped; None without any."""
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
"""An option of every command that measures. Its callback runs before the command's body, which may import numpy."""
