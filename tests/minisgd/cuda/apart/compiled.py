"""`cuda-fused` compiled for a GPU where there is none, and read in machine code; run by test_cuda_fused.py."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import pytest
from chains import Instruction, chain, instructions, step_loop
from cuda.core import Linker, LinkerOptions, ObjectCode
from nodevice import pretended
from numba import cuda

from kernels.cuda.launch import MOST_SHARED_BYTES
from minisgd.steps import cuda_fused

SM_90, SM_80 = (9, 0), (8, 0)


class Built(NamedTuple):
    registers: int
    spilled: int
    stack: int
    shared: int
    step: list[Instruction]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A function of a problem's shape: what the assembler says of the kernel, and the loop over its steps."""
    folder = tmp_path_factory.mktemp("sass")

    @cache
    def build(n, d, k, batch_size, dtype="float32", objective="squared", capability=SM_90):
        layout = cuda_fused.layout_of(n, d, k, n, batch_size, dtype, objective)
        signature, options = cuda_fused.signature(layout), {"launch_bounds": cuda_fused.LAUNCH_BOUNDS, "cc": capability}
        with pretended(capability):
            ptx, _ = cuda.compile_ptx(cuda_fused.entry(layout), signature, **options)
        linked = LinkerOptions(arch="sm_{}{}".format(*capability), ptxas_options=["-v"])
        linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=linked)
        binary, said = linker.link("cubin").code, linker.get_info_log()

        def number(pattern):
            return sum(int(found) for found in re.findall(pattern, said))

        shared = sum(int(count) for count in re.findall(r"\.shared .*\.b8 \w+\[(\d+)\];", ptx))
        spilled = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
        step = step_loop(*instructions(binary, folder))
        return Built(number(r"Used (\d+) registers"), spilled, number(r"(\d+) bytes stack frame"), shared, step)

    return build


AIRFOIL = (1500, 5, 1)
PROBLEMS = [
    (*AIRFOIL, 1), (*AIRFOIL, 10), (*AIRFOIL, 100), (*AIRFOIL, 10, "float64"), (*AIRFOIL, 10, "float32", "logistic"),
    (*AIRFOIL, 10, "float32", "squared", SM_80), (100_000, 8, 4, 32), (1500, 100, 1, 10), (1500, 1024, 1, 10),
    (1500, 512, 1, 10, "float64"),
]  # fmt: skip


@pytest.mark.parametrize("problem", PROBLEMS)
def test_weights_stay_in_registers(built, problem):
    found = built(*problem)
    assert found.spilled == found.stack == 0
    assert found.registers <= 255
    assert found.shared <= MOST_SHARED_BYTES
    assert not [each for each in found.step if each.name in ("LDL", "STL")]


def test_the_airfoil_data_are_read_from_shared_memory_alone(built):
    for batch_size in (1, 10, 100):
        names = [each.opcode for each in built(*AIRFOIL, batch_size).step]
        assert names.count("LDS.64") == 3  # five features and the target
        assert not [name for name in names if name.split(".")[0] in ("LD", "LDG")]


@pytest.mark.parametrize(("batch_size", "cycles", "issued"), [(1, 28, 45), (10, 140, 110)])
def test_what_a_step_waits_for(built, batch_size, cycles, issued):
    """The figures that docs/decisions/020-cuda-fused-a-warp-a-model.md reckons with: a dot product, the residual, a sum over lanes, and the update."""
    step = built(*AIRFOIL, batch_size).step
    assert chain(step) <= cycles
    assert len(step) <= issued
    levels = (batch_size - 1).bit_length()
    assert sum(each.name == "SHFL" for each in step) == 6 * levels
    assert chain(step) >= 24 * levels + 16


def test_a_chain_is_counted():
    def made(*lines):
        return [Instruction(None, *line.split(" ", 1)) for line in lines]

    assert chain(made("FFMA R1, R2, R3, R1", "FFMA R4, R5, R6, R4")) == 4
    assert chain(made("FFMA R1, R2, R3, R4", "FADD R4, R1, R5")) == 8
    assert chain(made("SHFL.BFLY PT, R1, R2, 0x1, 0x1f", "FADD R2, R1, R2")) == 28
    assert chain(made("LDS.64 R2, [R8]", "FADD R1, R3, R1")) == 4
