"""What the compiler makes of every kernel, as a table that is kept beside the kernels.

.cuda/bin/python tests/kernels/cuda/apart/budgets.py        writes kernels/cuda/budgets.toml anew; its changes are reviewed
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nodevice import build, hot_loop

from kernels.cuda import launch
from kernels.cuda.block import block
from kernels.cuda.columnwise import columnwise
from kernels.cuda.elementwise import elementwise
from kernels.cuda.full.blocking import BLOCKINGS, lanes
from kernels.cuda.full.stages import STAGES
from kernels.cuda.full.tensor_cores import DEPTH, PRODUCTS_ACROSS, PRODUCTS_DOWN, tensor_cores
from kernels.cuda.launch import Rung
from kernels.cuda.rowwise import rowwise
from kernels.cuda.tiled import tiled

FILE = Path(launch.__file__).with_name("budgets.toml")

HEADER = """\
# What numba-cuda and the assembler make of every kernel, without a device. Written by tests/kernels/cuda/apart/budgets.py.
# registers a thread; bytes spilled, of stack, and of shared memory. For stages of full, a warp's turn of the loop over the depth:
# instructions issued, 128-bit loads from shared memory, cycles that shared memory takes, multiply-adds in percent of what is
# issued, and the most percent of the peak that this allows. Of tensor cores a multiply-add is a warp's product.
"""


class Kernel(NamedTuple):
    """A kernel, for a dtype and an architecture; `multiply_adds` of a thread in a turn of its hot loop, if it has one."""

    name: str
    dtype: str
    arch: str
    made: Rung
    sizes: tuple[int, ...]
    multiply_adds: int | None

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} {self.arch}"


def kernels() -> Iterator[Kernel]:
    """Every rung, every stage of full, and full for operands whose rows are in pieces, and with tensor cores."""
    for made in (elementwise, rowwise, columnwise, block, tiled):
        yield Kernel(made.make.__name__, "float32", "sm_90", made, tuple(made.tile.values()), None)
    for dtype, blocking in BLOCKINGS.items():
        expected = blocking.high * blocking.wide * blocking.depth
        for stage in STAGES:
            yield Kernel(stage.name, dtype, "sm_90", stage.rung(dtype, lanes(dtype)), (), expected)
        yield Kernel("rows in pieces", dtype, "sm_90", STAGES[-2].rung(dtype, 1), (), expected)
        yield Kernel(STAGES[-1].name, dtype, "sm_80", STAGES[-1].rung(dtype, lanes(dtype)), (), expected)
    products = PRODUCTS_DOWN * PRODUCTS_ACROSS * DEPTH // 16
    for arch in ("sm_90", "sm_80"):
        yield Kernel("tensor cores", "bfloat16", arch, tensor_cores(lanes("bfloat16")), (), products)
    yield Kernel("tensor cores, rows in pieces", "bfloat16", "sm_90", tensor_cores(1), (), products)


def measure(kernel: Kernel) -> dict[str, Any]:
    """A row of the table."""
    built = build(kernel.made, kernel.dtype, kernel.sizes, (int(kernel.arch[3:-1]), int(kernel.arch[-1])))
    row = {"registers": built.registers, "spilled": built.spilled_bytes, "stack": built.stack_bytes, "shared": built.shared_bytes}
    if kernel.multiply_adds is not None:
        loop = hot_loop(built, kernel.multiply_adds)
        shares = {"share": round(loop.share, 1), "bound": round(loop.bound(kernel.arch, kernel.dtype), 1)}
        row |= {"issued": loop.issued, "vector_loads": loop.vector_loads, "wavefronts": loop.wavefronts, **shares}
    return row


def write() -> None:
    """The whole table, a line a kernel."""
    lines = [HEADER]
    for kernel in kernels():
        row = ", ".join(f"{key} = {value}" for key, value in measure(kernel).items())
        lines.append(f'"{kernel}" = {{{row}}}\n')
        print(lines[-1], end="", flush=True)
    FILE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    write()
