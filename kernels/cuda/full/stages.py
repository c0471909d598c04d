"""`numba-cuda/full`, and the stages on the way to it: the same tiles throughout, an idea more from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from kernels.cuda.full.blocking import BLOCKINGS, Blocking, Ideas, lanes
from kernels.cuda.full.pipeline import pipeline
from kernels.cuda.full.register_tile import register_tile
from kernels.cuda.full.tensor_cores import tensor_cores
from kernels.cuda.launch import Operand, Rung, operand
from kernels.cuda.primitives import VECTOR_BYTES
from kernels.registry import kernel


@dataclass(frozen=True)
class Stage:
    """A stage, what it adds, and how it is built.

    Parameters
    ----------
    name, adds : str
    vectors : bool
        Whether it loads and stores 128 bits at a time.
    unroll, asynchronous, guarded : bool
        As `Ideas` has them.
    """

    name: str
    adds: str
    vectors: bool = True
    unroll: bool = True
    asynchronous: bool = True
    guarded: bool = True

    def rung(self, dtype: str, copied: int, blocking: Blocking | None = None) -> Rung:
        """Its kernel for a dtype, with so many elements copied at a time, and other tiles than usual if told so."""
        return _rung(self, blocking or BLOCKINGS[dtype], Ideas(copied, self.unroll, self.asynchronous, self.guarded))

    def __call__(self, a: Any, b: Any, out: Any) -> None:
        """Multiply tensors.

        Raises
        ------
        ValueError
            If nothing is guarded, and the sizes need it.
        """
        dtype = str(a.dtype).removeprefix("torch.")
        operands = operand(a), operand(b), operand(out)
        if not (self.guarded or whole(dtype, *operands)):
            raise ValueError(f"{self.name}: expected rows in one piece, and sizes that are multiples of {BLOCKINGS[dtype]}")
        self.rung(dtype, copied_at_a_time(dtype, *operands))(a, b, out)


STAGES = (
    Stage("register tile", "each element loaded serves a row or column of sums in registers", vectors=False),
    Stage("+ 128 bits", "four elements a load: fewer instructions for as many bytes", unroll=False, asynchronous=False),
    Stage("+ unrolled", "every address a constant away from one register", asynchronous=False),
    Stage("+ asynchronous copies", "past the registers, while the tile before is multiplied"),
    Stage("+ no guards", "nothing compared where the tiles fit", guarded=False),
)


@cache
def _rung(stage: Stage, blocking: Blocking, ideas: Ideas) -> Rung:
    def make(dtype: Any) -> Any:
        return pipeline(dtype, blocking, ideas) if stage.vectors else register_tile(dtype, blocking)

    return Rung(make, blocking.grid)


def copied_at_a_time(dtype: str, a: Operand, b: Operand, out: Operand) -> int:
    """Elements: a vector, if the rows of all three are in one piece, and start and end at a whole one; else one."""
    width = lanes(dtype)
    aligned = all(
        along == 1 and down % width == 0 and columns % width == 0 and address % VECTOR_BYTES == 0
        for address, _, columns, down, along in (a, b, out)
    )
    return width if aligned else 1


def whole(dtype: str, a: Operand, b: Operand, out: Operand) -> bool:
    """Whether the tiles fit, and vectors too, so that nothing need be guarded."""
    blocking = BLOCKINGS[dtype]
    fit = out[1] % blocking.rows == 0 and a[2] % blocking.depth == 0 and out[2] % blocking.columns == 0
    return fit and copied_at_a_time(dtype, a, b, out) > 1


@kernel("numba-cuda", "full", arrays="torch", devices=("cuda",), compiles=True, dtypes=(*BLOCKINGS, "bfloat16"))
def full(a: Any, b: Any, out: Any) -> None:
    """Tiles of out in registers, fetched ahead by asynchronous copies; bfloat16 by tensor cores."""
    dtype = str(a.dtype).removeprefix("torch.")
    if dtype == "bfloat16":
        tensor_cores(copied_at_a_time(dtype, operand(a), operand(b), operand(out)))(a, b, out)
        return
    # Nothing is guarded where the tiles fit.
    STAGES[-1 if whole(dtype, operand(a), operand(b), operand(out)) else -2](a, b, out)
