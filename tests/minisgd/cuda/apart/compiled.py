"""`cuda-fused` compiled for a GPU where there is none, and read in machine code; run by test_cuda_fused.py."""

from __future__ import annotations

from functools import cache

import pytest
from chains import chain, flow, name, step_loop
from nodevice import assembled

from kernels.cuda.launch import MOST_SHARED_BYTES
from minisgd.steps import cuda_fused

SM_90, SM_80 = (9, 0), (8, 0)


@cache
def built(n, d, k, batch_size, dtype="float32", objective="squared", capability=SM_90):
    """The kernel of a problem's shape."""
    layout = cuda_fused.layout_of(n, d, k, n, batch_size, dtype, objective)
    return assembled(cuda_fused.entry(layout), cuda_fused.signature(layout), cuda_fused.LAUNCH_BOUNDS, capability)


AIRFOIL = (1500, 5, 1)
PROBLEMS = [
    (*AIRFOIL, 1), (*AIRFOIL, 10), (*AIRFOIL, 100), (*AIRFOIL, 10, "float64"), (*AIRFOIL, 10, "float32", "logistic"),
    (*AIRFOIL, 10, "float32", "squared", SM_80), (100_000, 8, 4, 32), (1500, 100, 1, 10), (1500, 1024, 1, 10),
    (1500, 512, 1, 10, "float64"),
]  # fmt: skip


@pytest.mark.parametrize("problem", PROBLEMS)
def test_weights_stay_in_registers(problem):
    found = built(*problem)
    assert found.spilled_bytes == found.stack_bytes == 0
    assert found.registers <= 255
    assert found.shared_bytes <= MOST_SHARED_BYTES
    assert not [opcode for opcode, _ in found.code if name(opcode) in ("LDL", "STL")]


@pytest.mark.parametrize("batch_size", [1, 10, 100])
def test_the_airfoil_data_are_read_from_shared_memory_alone(batch_size):
    opcodes = [opcode for opcode, _ in step_loop(built(*AIRFOIL, batch_size))]
    assert opcodes.count("LDS.64") == 3  # five features and the target
    assert not [opcode for opcode in opcodes if name(opcode) in ("LD", "LDG")]


@pytest.mark.parametrize(("batch_size", "cycles", "issued"), [(1, 24, 39), (10, 136, 100), (100, 164, 134)])
def test_what_a_step_waits_for(batch_size, cycles, issued):
    """The figures that the decision reckons with; other versions of Python have other bytecode, and numba another order."""
    step = step_loop(built(*AIRFOIL, batch_size))
    assert abs(chain(step) - cycles) <= 4
    assert abs(len(step) - issued) <= 8
    levels = min(5, (batch_size - 1).bit_length())
    assert sum(name(opcode) == "SHFL" for opcode, _ in step) == 6 * levels
    assert chain(step) >= 24 * levels + 16


def test_a_chain_is_counted():
    def cycles(*lines):
        return chain([tuple(line.split(" ", 1)) for line in lines])

    assert cycles("FFMA R1, R2, R3, R1", "FFMA R4, R5, R6, R4") == 4
    assert cycles("FFMA R1, R2, R3, R4", "FADD R4, R1, R5") == 8
    assert cycles("SHFL.BFLY PT, R1, R2, 0x1, 0x1f", "FADD R2, R1, R2") == 28
    assert cycles("LDS.64 R2, [R8]", "FADD R1, R3, R1") == 4


@pytest.mark.parametrize(
    ("opcode", "operands", "read", "written"),
    [
        ("SHFL.BFLY", "PT, R1, R2, 0x1, 0x1f", ["R2"], ["R1"]),
        ("ISETP.GE.AND", "P1, PT, R2.reuse, R3, P0", ["R2", "R3", "P0"], ["P1"]),
        ("IADD3", "R0, P2, R61, R46, RZ", ["R61", "R46"], ["R0", "P2"]),
        ("LDS.64", "R2, [R8+0x10]", ["R8"], ["R2", "R3"]),
        ("STS", "[R8], R2", ["R8", "R2"], []),
    ],
)
def test_what_an_instruction_reads_and_writes(opcode, operands, read, written):
    assert flow(opcode, operands) == (read, written)
