"""The longest chain of operations in a loop of machine code, of which each waits for the one before."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from cuda.pathfinder import find_nvidia_binary_utility

CYCLES = {"SHFL": 24, "LDS": 29, "LDG": 263, "LD": 263, "LDC": 30, "S2R": 30, "S2UR": 30, "MUFU": 20, "ISETP": 6, "FSETP": 6}
"""Until a result can be used; 4 for what is not listed. From published microbenchmarks of Volta to Hopper (Jia, Maggioni, Staiger
and Scarpazza 2018, arXiv 1804.06826; Luo and others 2024, arXiv 2402.13499), rounded: leads, not measured here."""

LABEL = re.compile(r"^(\.L\w+):")
INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?(U?P\w+)\s+)?([A-Z][A-Z0-9_.]*)\s*(.*?);")
BRANCH = re.compile(r"`\((\.L\w+)\)")
REGISTER = re.compile(r"(?<![A-Za-z0-9_])U?[RP]\d+")


class Instruction(NamedTuple):
    """Predicate, opcode and operands."""

    predicate: str | None
    opcode: str
    operands: str

    @property
    def name(self) -> str:
        return self.opcode.split(".")[0]

    def written(self) -> list[str]:
        """Registers: the first operand's, predicates in front of it, and the other half of a pair."""
        operands = [each.strip() for each in self.operands.split(",")]
        if self.name.startswith(("ST", "BRA", "BAR", "BSYNC", "BSSY", "EXIT", "NOP", "WARPSYNC")):
            return []
        first = 1 if self.name == "SHFL" else 0
        found = REGISTER.findall(operands[first])
        if self.name in ("ISETP", "FSETP", "PLOP3", "IADD3", "LEA") and len(operands) > 1:
            found += [each for each in REGISTER.findall(operands[1]) if "P" in each]
        pair = ".64" in self.opcode or self.name == "CS2R" or ".WIDE" in self.opcode
        return found + ([f"R{int(found[0][1:]) + 1}"] if pair and found and found[0].startswith("R") else [])

    def read(self) -> list[str]:
        """Registers: those of all operands but the first, and what a predicate leaves as it was."""
        operands = self.operands.split(",")
        first = 2 if self.name == "SHFL" else 1 if self.written() else 0
        found = REGISTER.findall(",".join(operands[first:]))
        return found + ([self.predicate, *self.written()] if self.predicate else [])


def instructions(binary: bytes, folder: Path) -> tuple[list[Instruction], dict[str, int]]:
    """Machine code in order, and where labels stand in it."""
    file = folder / "kernel.cubin"
    file.write_bytes(binary)
    text = subprocess.run([find_nvidia_binary_utility("nvdisasm"), "-c", file], capture_output=True, text=True, check=True).stdout
    code, labels = [], {}
    for line in text.splitlines():
        if label := LABEL.match(line):
            labels[label[1]] = len(code)
        elif found := INSTRUCTION.match(line):
            code.append(Instruction(*found.groups()))
    return code, labels


def step_loop(code: list[Instruction], labels: dict[str, int]) -> list[Instruction]:
    """The loop with most multiply-adds; of those with as many, the shortest."""
    found = []
    for end, each in enumerate(code):
        target = BRANCH.search(each.operands)
        if each.name == "BRA" and target and labels[target[1]] < end:
            found.append(code[labels[target[1]] : end + 1])
    return max(found, key=lambda body: (sum(each.name in ("FFMA", "DFMA") for each in body), -len(body)))


def chain(body: list[Instruction], turns: int = 8) -> float:
    """Cycles that a turn of a loop adds to its longest chain of dependencies, once the first turns have gone by."""
    ready: dict[str, float] = {}
    ends = []
    for _ in range(turns):
        for each in body:
            end = max((ready.get(register, 0) for register in each.read()), default=0) + CYCLES.get(each.name, 4)
            ready.update(dict.fromkeys(each.written(), end))
        ends.append(max(ready.values()))
    return (ends[-1] - ends[1]) / (turns - 2)
