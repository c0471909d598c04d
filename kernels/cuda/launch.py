"""From a function of three device matrices to a kernel in the table, launched on torch's tensors and stream.

A kernel gets addresses and steps rather than arrays: a launch takes two to three times as long where numba has to make arrays of
tensors first (NVIDIA/numba-cuda issue 98).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache, wraps
from typing import Any, NamedTuple

import numpy as np
from numba import types

from kernels.cuda.primitives import cuda, inlined, matrix
from kernels.registry import kernel

Operand = tuple[int, int, int, int, int]
OPERAND = types.UniTuple(types.int64, 5)
"""Address, rows, columns, and the steps to the next row and the next column in elements."""

MOST_BLOCKS = 2**31 - 1, 65535
"""Of a grid, across and down (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability")."""

MOST_THREADS, MOST_SHARED_BYTES = 1024, 48 << 10
"""Of a block: threads, and shared memory whose size is part of the kernel (the same table)."""

ELEMENTS = {"bfloat16": "uint16"}
"""What a kernel is compiled for where numpy has no such type: bits."""


class Grid(NamedTuple):
    """Blocks, and threads in each, across and down."""

    blocks: tuple[int, int]
    threads: tuple[int, int]


@dataclass(frozen=True)
class Rung:
    """A kernel for each dtype and tile, and how it is launched.

    Parameters
    ----------
    make : callable
        ``make(dtype, *sizes)``: a function of three device matrices, to be compiled.
    grid : callable
        ``grid(m, p, *sizes)``: the `Grid` that covers an (m, p) product.
    tile : mapping of str to int
        Tile parameters and their defaults, as `kernels.Kernel` has them.
    """

    make: Callable[..., Callable[[Any, Any, Any], None]]
    grid: Callable[..., Grid]
    tile: Mapping[str, int] = field(default_factory=dict, hash=False)

    def entry(self, dtype: str, *sizes: int) -> Callable[[Any, Any, Any], None]:
        """The function that is compiled: of three operands, as `OPERAND` says."""
        element = getattr(np, ELEMENTS.get(dtype, dtype))
        multiply = inlined(self.make(element, *sizes))

        def product(a: Any, b: Any, out: Any) -> None:
            multiply(matrix(a, element), matrix(b, element), matrix(out, element))

        return product

    def __call__(self, a: Any, b: Any, out: Any, *sizes: int) -> None:
        """Multiply tensors, on the stream that torch uses now.

        Raises
        ------
        ValueError
            If a grid cannot be so large, or a block.
        """
        m, p = out.shape
        if 0 in (m, p):
            return
        grid = self.grid(m, p, *sizes)
        if any(blocks > most for blocks, most in zip(grid.blocks, MOST_BLOCKS, strict=True)):
            raise ValueError(f"out: expected a grid of at most {MOST_BLOCKS} blocks, got {grid.blocks}")
        import torch

        stream = torch.cuda.current_stream(a.device).cuda_stream
        with torch.cuda.device(a.device):
            configured(self, str(a.dtype).removeprefix("torch."), sizes, grid, stream)(operand(a), operand(b), operand(out))


def rung(name: str, grid: Callable[..., Grid], **tile: int) -> Callable[[Callable[..., Any]], Rung]:
    """Register what the decorated function makes as ``numba-cuda/name``; see `Rung` for the rest."""

    def register(make: Callable[..., Any]) -> Rung:
        made = Rung(make, grid, tile)

        @kernel("numba-cuda", name, arrays="torch", devices=("cuda",), compiles=True, tile=tile)
        @wraps(make)
        def launch(a: Any, b: Any, out: Any, *sizes: int) -> None:
            made(a, b, out, *sizes)

        return made

    return register


def operand(x: Any) -> Operand:
    """A tensor as a kernel gets it."""
    return x.data_ptr(), *x.shape, *x.stride()


def launch_bounds(grid: Grid) -> tuple[int, int]:
    """Threads of a block, and blocks that must fit on a multiprocessor: what limits a thread's registers."""
    return grid.threads[0] * grid.threads[1], 1


@cache
def compiled(made: Rung, dtype: str, sizes: tuple[int, ...]) -> Any:
    """The kernel of a dtype and tile, compiled for the current device."""
    # Without lto, which has the linker optimise anew: the machine code is to be that which the tests' budgets are about.
    jit = cuda.jit(types.void(OPERAND, OPERAND, OPERAND), launch_bounds=launch_bounds(made.grid(1, 1, *sizes)), lto=False)
    return jit(made.entry(dtype, *sizes))


@lru_cache(maxsize=1024)
def configured(made: Rung, dtype: str, sizes: tuple[int, ...], grid: Grid, stream: int) -> Any:
    """A kernel that is ready to be launched: finding all this out takes longer than the launch."""
    return compiled(made, dtype, sizes)[grid.blocks, grid.threads, cuda.external_stream(stream) if stream else 0]
