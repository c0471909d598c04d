"""Run a rung's kernel in numba-cuda's simulator, on numpy arrays; only in a process that has NUMBA_ENABLE_CUDASIM set."""

from __future__ import annotations

from kernels.cuda.launch import Rung
from kernels.cuda.primitives import cuda


def operand(x):
    """An array as `kernels.cuda.launch.operand` has a tensor."""
    return x.ctypes.data, *x.shape, *(step // x.itemsize for step in x.strides)


def simulate(made: Rung, a, b, out, *sizes) -> None:
    grid = made.grid(*out.shape, *sizes)
    if 0 in out.shape:
        return
    cuda.jit(made.entry(out.dtype.name, *sizes))[grid.blocks, grid.threads](operand(a), operand(b), operand(out))
