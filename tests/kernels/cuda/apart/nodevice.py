"""Compile and assemble kernels where there is no device, no driver and no nvcc; needs an interpreter that has numba-cuda."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from cuda.core import Linker, LinkerOptions, ObjectCode
from cuda.pathfinder import find_nvidia_binary_utility
from numba import cuda, void
from numba.cuda import dispatcher

from kernels.cuda.launch import OPERAND, Rung, launch_bounds

LABEL = re.compile(r"^(\.L\w+):")
INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)\s*(.*?);")
BRANCH = re.compile(r"`\((\.L\w+)\)")


class Built(NamedTuple):
    """What the assembler says of a kernel, and its machine code: opcodes with their operands, and where labels stand."""

    registers: int
    spilled_bytes: int
    stack_bytes: int
    shared_bytes: int
    code: list[tuple[str, str]]
    labels: dict[str, int]


@contextmanager
def pretended(capability: tuple[int, int]) -> Iterator[None]:
    """Numba-cuda asks the current device for its compute capability when it compiles a device function."""
    before = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = before


def build(made: Rung, dtype: str, sizes: tuple[int, ...], capability: tuple[int, int]) -> Built:
    """A rung's kernel for a compute capability such as (9, 0), by the compiler and assembler that make it for a device."""
    bounds = launch_bounds(made.grid(1, 1, *sizes))
    return assembled(made.entry(dtype, *sizes), void(OPERAND, OPERAND, OPERAND), bounds, capability)


def assembled(function: Callable[..., None], signature: Any, bounds: tuple[int, int], capability: tuple[int, int]) -> Built:
    """Any kernel: a function that is compiled for arguments of a signature, with bounds as `cuda.jit` has them."""
    with pretended(capability):
        ptx, _ = cuda.compile_ptx(function, signature, cc=capability, launch_bounds=bounds)
    options = LinkerOptions(arch="sm_{}{}".format(*capability), ptxas_options=["-v"])
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=options)
    binary, said = linker.link("cubin").code, linker.get_info_log()
    return Built(
        _number(r"Used (\d+) registers", said),
        _number(r"(\d+) bytes spill stores", said) + _number(r"(\d+) bytes spill loads", said),
        _number(r"(\d+) bytes stack frame", said),
        sum(int(count) for count in re.findall(r"\.shared .*\.b8 \w+\[(\d+)\];", ptx)),
        *_disassembled(binary),
    )


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1])


def _disassembled(binary: bytes) -> tuple[list[tuple[str, str]], dict[str, int]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel.cubin")
        file.write_bytes(binary)
        tool = find_nvidia_binary_utility("nvdisasm")
        text = subprocess.run([tool, "-c", file], capture_output=True, text=True, check=True).stdout
    code, labels = [], {}
    for line in text.splitlines():
        if label := LABEL.match(line):
            labels[label[1]] = len(code)
        elif instruction := INSTRUCTION.match(line):
            code.append((instruction[1], instruction[2]))
    return code, labels


def loops(built: Built) -> list[list[str]]:
    """Opcodes of every loop: from the target of a branch back to the branch."""
    found = []
    for end, (opcode, operands) in enumerate(built.code):
        target = BRANCH.search(operands)
        if opcode.startswith("BRA") and target and built.labels[target[1]] < end:
            found.append([opcode for opcode, _ in built.code[built.labels[target[1]] : end + 1]])
    return found


def multiply_adds(opcodes: list[str]) -> int:
    """Of float32 or float64, each instruction one a thread, or products of tensor cores, each one a warp."""
    return sum(opcode.split(".")[0] in ("FFMA", "DFMA", "HMMA") for opcode in opcodes)


def vector_loads(opcodes: list[str]) -> int:
    """Loads of 128 bits from shared memory, and of four fragments."""
    return sum(opcode.startswith("LDS") and not {"128", "M88", "MT88"}.isdisjoint(opcode.split(".")) for opcode in opcodes)


def wavefronts(opcodes: list[str]) -> int:
    """Cycles that shared memory takes for a warp's accesses, without conflicts: 128 bytes a cycle, so 4 for 16 bytes a thread."""
    wide = {"128": 4, "64": 2, "M88": 4, "MT88": 4}
    accesses = (opcode.split(".") for opcode in opcodes if opcode.split(".")[0] in ("LDS", "STS", "LDGSTS", "LDSM"))
    return sum(next((wide[part] for part in parts if part in wide), 1) for parts in accesses)


ISSUED_A_CYCLE = 4
MULTIPLY_ADDS_A_CYCLE = {
    ("sm_80", "float32"): 2, ("sm_80", "float64"): 1, ("sm_90", "float32"): 4, ("sm_90", "float64"): 2,
    ("sm_80", "bfloat16"): 0.5, ("sm_90", "bfloat16"): 1,
}  # fmt: skip
"""Of a multiprocessor, in instructions of a whole warp (CUDA C++ Programming Guide, "Arithmetic Instructions"). Of tensor
cores the white papers of A100 and H100: 1,024 and 2,048 multiply-adds a cycle, and a product has 2,048."""


class HotLoop(NamedTuple):
    """What a warp does in a turn of the loop over the depth of a product: instructions, and some of them."""

    issued: int
    multiply_adds: int
    vector_loads: int
    wavefronts: int

    @property
    def share(self) -> float:
        """Percent of the issue slots that are multiply-adds."""
        return 100 * self.multiply_adds / self.issued

    def bound(self, arch: str, dtype: str) -> float:
        """The most percent of its multiply-adds' peak that a multiprocessor reaches, by what it issues and its shared memory."""
        cycles = self.multiply_adds / MULTIPLY_ADDS_A_CYCLE[arch, dtype]
        return 100 * cycles / max(cycles, self.issued / ISSUED_A_CYCLE, self.wavefronts)


def hot_loop(built: Built, expected: int) -> HotLoop:
    """The outermost loop with multiply-adds, of which a turn has so many.

    Where they are in a loop inside, that is counted as often as it is gone through; any other loop, once.
    """
    outer = max(loops(built), key=lambda opcodes: (multiply_adds(opcodes), len(opcodes)))
    inner = min(loops(built), key=lambda opcodes: (-multiply_adds(opcodes), len(opcodes)))
    turns, rest = divmod(expected, multiply_adds(inner))
    assert rest == 0, f"{expected} multiply-adds, in a loop of {multiply_adds(inner)}"
    counts = (count(outer) + (turns - 1) * count(inner) for count in (len, multiply_adds, vector_loads, wavefronts))
    return HotLoop(*counts)
