"""The longest chain of operations in a loop of machine code, of which each waits for the one before."""

from __future__ import annotations

import re

from nodevice import BRANCH, Built, multiply_adds

CYCLES = {"SHFL": 24, "LDS": 29, "LDG": 263, "LD": 263, "LDC": 30, "S2R": 30, "S2UR": 30, "MUFU": 20, "ISETP": 6, "FSETP": 6}
"""Until a result can be used; 4 for what is not listed. From published microbenchmarks of Volta to Hopper (Jia, Maggioni, Staiger
and Scarpazza 2018, arXiv 1804.06826; Luo and others 2024, arXiv 2402.13499), rounded: leads, not measured here."""

REGISTER = re.compile(r"(?<![A-Za-z0-9_])U?[RP]\d+")
WRITE_NOTHING = ("ST", "BRA", "BAR", "BSYNC", "BSSY", "EXIT", "NOP", "WARPSYNC")
WRITE_A_PREDICATE_TOO = ("ISETP", "FSETP", "PLOP3", "IADD3", "LEA")

Instruction = tuple[str, str]
"""Opcode and operands, without the predicate: what is left undone is not looked at."""


def name(opcode: str) -> str:
    return opcode.split(".")[0]


def flow(opcode: str, operands: str) -> tuple[list[str], list[str]]:
    """Registers that an instruction reads, and those that it writes: the other halves of pairs too."""
    if name(opcode).startswith(WRITE_NOTHING):
        return REGISTER.findall(operands), []
    places = [each.strip() for each in operands.split(",")]
    results = 1
    if name(opcode) == "SHFL" or (name(opcode) in WRITE_A_PREDICATE_TOO and re.match("U?P", "".join(places[1:2]))):
        results = 2
    first, others = REGISTER.findall(",".join(places[:results])), REGISTER.findall(",".join(places[results:]))
    if ".64" in opcode or ".WIDE" in opcode or name(opcode) == "CS2R":
        first = first + [f"R{int(each[1:]) + 1}" for each in first if each.startswith("R")]
    return others, first


def step_loop(built: Built) -> list[Instruction]:
    """The loop with most multiply-adds; of those with as many, the shortest."""
    found = []
    for end, (opcode, operands) in enumerate(built.code):
        target = BRANCH.search(operands)
        if name(opcode) == "BRA" and target and built.labels[target[1]] < end:
            found.append(built.code[built.labels[target[1]] : end + 1])
    return max(found, key=lambda body: (multiply_adds([opcode for opcode, _ in body]), -len(body)))


def chain(body: list[Instruction], turns: int = 8) -> float:
    """Cycles that a turn of a loop adds to its longest chain of dependencies, once the first turns have gone by."""
    ready: dict[str, float] = {}
    ends = []
    for _ in range(turns):
        for opcode, operands in body:
            read, written = flow(opcode, operands)
            end = max((ready.get(register, 0) for register in read), default=0) + CYCLES.get(name(opcode), 4)
            ready.update(dict.fromkeys(written, end))
        ends.append(max(ready.values()))
    return (ends[-1] - ends[1]) / (turns - 2)
