"""Run a rung's kernel in numba-cuda's simulator, on numpy arrays; only in a process that has NUMBA_ENABLE_CUDASIM set."""

from __future__ import annotations

import pytest
import simulator_threads  # noqa: F401

from kernels.cuda import simulated
from kernels.cuda.launch import Rung
from kernels.cuda.primitives import cuda


def operand(x):
    """An array as `kernels.cuda.launch.operand` has a tensor."""
    return x.ctypes.data, *x.shape, *(step // x.itemsize for step in x.strides)


def simulate(made: Rung, a, b, out, *sizes) -> None:
    """Multiply; an access to what is no element of an operand, nor of shared memory, is an error."""
    grid = made.grid(*out.shape, *sizes)
    if 0 in out.shape:
        return
    kernel = cuda.jit(made.entry(out.dtype.name, *sizes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "flat", checked(simulated.flat, a, b, out))
        kernel[grid.blocks, grid.threads](operand(a), operand(b), operand(out))


def checked(flat, *operands):
    """The simulated access to elements in a row, which are looked for among those there are; numpy checks the others itself."""
    elements = {x.ctypes.data: set(addresses(x)) for x in operands}

    def found(array, start, count):
        part = flat(array, start, count)
        first, base = part.ctypes.data, array.ctypes.data
        there = elements.get(base, range(base, base + array.nbytes))
        assert all(at in there for at in range(first, first + part.nbytes, part.itemsize)), (array.shape, start, count)
        return part

    return found


def addresses(x):
    """Of a matrix's elements."""
    (rows, columns), (down, along) = x.shape, x.strides
    return (x.ctypes.data + i * down + j * along for i in range(rows) for j in range(columns))
