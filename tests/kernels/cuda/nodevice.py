"""Compile and assemble kernels where there is no device, no driver and no nvcc; run in the interpreter that has numba-cuda."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from cuda.core import Linker, LinkerOptions, ObjectCode
from cuda.pathfinder import find_nvidia_binary_utility
from numba import cuda, void
from numba.cuda import dispatcher

from kernels.cuda.launch import OPERAND, compile_options

INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)\s*(.*?);")
LABEL = re.compile(r"^\s*(\.L_x?_?\d+):")
TARGET = re.compile(r"`\((\.L\w+)\)")


class Built(NamedTuple):
    registers: int
    spilled: int
    local: int
    shared: int
    opcodes: list[tuple[str, str]]
    labels: dict[str, int]


@contextmanager
def pretended(capability):
    """Numba-cuda asks the current device for its compute capability when it compiles a device function."""
    before = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = before


def build(made, dtype, sizes, capability):
    """A rung's kernel for a compute capability, such as (9, 0): what the assembler says of it, and its machine code."""
    threads = made.grid(1, 1, *sizes).threads
    options = compile_options(threads)
    del options["lto"]
    with pretended(capability):
        ptx, _ = cuda.compile_ptx(made.entry(dtype, *sizes), void(OPERAND, OPERAND, OPERAND), cc=capability, **options)
    linker = Linker(
        ObjectCode.from_ptx(ptx.encode()), options=LinkerOptions(arch="sm_{}{}".format(*capability), ptxas_options=["-v"])
    )
    code, said = linker.link("cubin").code, linker.get_info_log()

    import os

    if os.environ.get("SAY"):
        print(said)

    def said_of(pattern):
        found = re.search(pattern, said)
        return int(found[1]) if found else 0

    opcodes, labels = disassemble(code)
    return Built(
        registers=said_of(r"Used (\d+) registers"),
        spilled=said_of(r"(\d+) bytes spill stores") + said_of(r"(\d+) bytes spill loads"),
        local=said_of(r"(\d+) bytes stack frame"),
        shared=said_of(r"(\d+) bytes smem"),
        opcodes=opcodes,
        labels=labels,
    )


def disassemble(code):
    """Opcodes in order, each with its operands; and where labels stand among them."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(code)
        tool = find_nvidia_binary_utility("nvdisasm")
        text = subprocess.run([tool, "-c", file.name], capture_output=True, text=True, check=True).stdout
    opcodes, labels = [], {}
    for line in text.splitlines():
        if label := LABEL.match(line):
            labels[label[1]] = len(opcodes)
        elif instruction := INSTRUCTION.match(line):
            opcodes.append((instruction[2], instruction[3]))
    return opcodes, labels


def loops(built):
    """Opcodes between each branch back and its target, the target first."""
    for end, (opcode, operands) in enumerate(built.opcodes):
        target = TARGET.search(operands)
        if opcode.startswith("BRA") and target and built.labels[target[1]] < end:
            yield [opcode for opcode, _ in built.opcodes[built.labels[target[1]] : end + 1]]


def multiply_adds(opcodes):
    return sum(opcode.split(".")[0] in ("FFMA", "DFMA") for opcode in opcodes)


def hot_loop(built):
    """The loop with the most multiply-adds; of those with as many, the shortest."""
    return max(loops(built), key=lambda opcodes: (multiply_adds(opcodes), -len(opcodes)))


def mix(opcodes):
    return Counter(opcode.split(".")[0] for opcode in opcodes)
