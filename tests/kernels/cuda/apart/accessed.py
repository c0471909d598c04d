"""What every rung's accesses to memory cost, as declared here; run by test_cuda.py in the simulator."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from access import Access, conflicts, recorded, sectors, sectors_needed
from simulator import simulate

from kernels.arrays import aligned_zeros
from kernels.cuda.block import block
from kernels.cuda.columnwise import columnwise
from kernels.cuda.elementwise import elementwise
from kernels.cuda.full.blocking import BLOCKINGS, lanes
from kernels.cuda.full.stages import STAGES
from kernels.cuda.full.tensor_cores import DEPTH, HIGH, WIDE, tensor_cores
from kernels.cuda.rowwise import rowwise
from kernels.cuda.tiled import tiled


class Costs(NamedTuple):
    """The most sectors that a warp's request of an operand touches, and the most wavefronts too many in shared memory."""

    a: int
    b: int
    out: int
    conflicts: int = 0


RUNGS = {
    "elementwise": (elementwise, (), (32, 8, 32), {"float32": Costs(16, 1, 16), "float64": Costs(16, 1, 16)}),
    "rowwise": (rowwise, (), (2, 8, 256), {"float32": Costs(1, 4, 4), "float64": Costs(1, 8, 8)}),
    "columnwise": (columnwise, (), (256, 8, 8), {"float32": Costs(32, 1, 32), "float64": Costs(32, 1, 32)}),
    "block": (block, (64,), (8, 16, 64), {"float32": Costs(1, 4, 4), "float64": Costs(1, 8, 8)}),
    "tiled": (tiled, (8, 32, 32), (8, 32, 32), {"float32": Costs(4, 4, 4), "float64": Costs(8, 8, 8)}),
}
"""For operands whose rows are in one piece: each rung, a tile, a product of whole blocks, and its costs."""

FULL = {
    "register tile": {"float32": Costs(4, 4, 4), "float64": Costs(8, 8, 8)},
    **{stage.name: dict.fromkeys(BLOCKINGS, Costs(16, 16, 16)) for stage in STAGES[1:]},
}
"""The same for the stages of full, with the tiles they have. 16 sectors are the 512 bytes of a warp's vectors: none is wasted."""


def costs(made, dtype, m, n, p, sizes=()):
    """Of a product, and its requests."""
    a, b, out = (aligned(shape, dtype) for shape in ((m, n), (n, p), (m, p)))
    with recorded(a=a, b=b, out=out) as recorder:
        simulate(made, a, b, out, *sizes)
    requests = list(recorder.requests())
    most = {what: max(sectors(each) for each in requests if each[0].what == what) for what in ("a", "b", "out")}
    return Costs(**most, conflicts=max((conflicts(each) for each in requests if each[0].what == "shared"), default=0)), requests


def aligned(shape, dtype):
    """As an allocator of device memory has it: at a multiple of 256 bytes."""
    return aligned_zeros(shape, dtype, 256)


@pytest.mark.parametrize("dtype", BLOCKINGS)
@pytest.mark.parametrize("name", RUNGS)
def test_a_rung_costs_what_is_declared(name, dtype):
    made, sizes, shape, declared = RUNGS[name]
    assert costs(made, dtype, *shape, sizes)[0] == declared[dtype]


@pytest.mark.parametrize("dtype", BLOCKINGS)
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_costs_what_is_declared_and_wastes_nothing(stage, dtype):
    blocking = BLOCKINGS[dtype]
    found, requests = costs(stage.rung(dtype, lanes(dtype)), dtype, blocking.rows, blocking.depth, blocking.columns)
    assert found == FULL[stage.name][dtype]
    assert all(sectors(each) == sectors_needed(each) for each in requests if each[0].what != "shared")


def test_fragments_are_loaded_without_conflicts():
    found, requests = costs(tensor_cores(8, 1, 2), "uint16", HIGH, DEPTH, 2 * WIDE)
    assert found == Costs(16, 16, 8)
    assert all(sectors(each) == sectors_needed(each) for each in requests if each[0].what in ("a", "b"))


@pytest.mark.parametrize(
    ("steps", "size", "expected"),
    [
        (4, 4, 0), (8, 4, 1), (128, 4, 31), (0, 4, 0), (132, 4, 0),
        (8, 8, 0), (16, 8, 2), (128, 8, 30), (16, 16, 0), (32, 16, 4), (48, 16, 0), (64, 16, 12), (128, 16, 28),
    ],
)  # fmt: skip
def test_conflicts_of_threads_so_many_bytes_apart(steps, size, expected):
    assert conflicts(tuple(Access("shared", 1024 + lane * steps, size) for lane in range(32))) == expected


@pytest.mark.parametrize(
    ("first", "steps", "size", "expected"),
    [(0, 4, 4, 4), (4, 4, 4, 5), (0, 128, 4, 32), (0, 0, 4, 1), (0, 16, 16, 16), (16, 16, 16, 17)],
)
def test_sectors_of_threads_so_many_bytes_apart(first, steps, size, expected):
    assert sectors(tuple(Access("a", 1024 + first + lane * steps, size) for lane in range(32))) == expected
