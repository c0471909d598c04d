"""Products compiled for a GPU where there is none, and read in machine code; run by test_triton.py in a process of its own."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from typing import NamedTuple

import pytest
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from kernels.accuracy import FORMATS
from kernels.triton import products
from kernels.triton.configurations import CONFIGURATIONS, SHARED_BYTES

ELEMENTS = {"float16": "fp16", "bfloat16": "bf16", "tfloat32": "fp32", "float32": "fp32"}
ITEMSIZES = {"float16": 2, "bfloat16": 2, "tfloat32": 4, "float32": 4}
AMPERE, HOPPER = 80, 90
AMPERE_SHARED_BYTES = 166_912
OPCODE = re.compile(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)", re.MULTILINE)


class Built(NamedTuple):
    shared: int
    ptx: str
    opcodes: list[str]


def constants_of(dtype, chosen):
    precision = "tf32" if dtype == "tfloat32" else "ieee"
    return {"bm": chosen.bm, "bn": chosen.bn, "bp": chosen.bp, "group": chosen.group, "precision": precision}


def by_addresses(dtype, chosen, whole):
    """Source of the product of row-major matrices whose sizes and addresses are multiples of sixteen, as most are."""
    arrays, sizes, steps = ("a", "b", "out"), ("m", "n", "p"), ("a_down", "a_along", "b_down", "b_along", "out_down", "out_along")
    constants = {**constants_of(dtype, chosen), "whole": whole, "a_along": 1, "b_along": 1, "out_along": 1}
    signature = dict.fromkeys(arrays, f"*{ELEMENTS[dtype]}") | dict.fromkeys((*sizes, *steps), "i32")
    signature |= dict.fromkeys(constants, "constexpr")
    places = [place for place, name in enumerate(signature) if signature[name] != "constexpr"]
    return ASTSource(products.product, signature, constants, {(place,): [["tt.divisibility", 16]] for place in places})


def by_boxes(dtype, chosen):
    """Source of the persistent product, of a and b as the tensor cores read them."""
    bm, bn, bp = chosen[:3]
    across = ITEMSIZES[dtype] == 4
    boxes = {"a": (bm, bn), "b": (bp, bn) if across else (bn, bp), "out": (bm, bp // 2)}
    signature = {name: f"tensordesc<{ELEMENTS[dtype]}[{rows}, {columns}]>" for name, (rows, columns) in boxes.items()}
    constants = {**constants_of(dtype, chosen), "a_across": False, "b_across": across}
    signature |= dict.fromkeys(("m", "n", "p", "programs"), "i32") | dict.fromkeys(constants, "constexpr")
    return ASTSource(products.persistent, signature, constants, {})


def build(source, chosen, capability, folder):
    options = {"num_warps": chosen.warps, "num_stages": chosen.stages}
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    cubin = folder / "product.cubin"
    cubin.write_bytes(made.asm["cubin"])
    tool = triton.knobs.nvidia.nvdisasm.path
    said = subprocess.run([tool, "-c", cubin], capture_output=True, text=True, check=True).stdout
    return Built(made.metadata.shared, made.asm["ptx"], OPCODE.findall(said))


def check(built, dtype, capability):
    """What holds of all: no local memory; the tensor cores' instructions for what belongs there, and for nothing else."""
    used = Counter(opcode.split(".")[0] for opcode in built.opcodes)
    assert used["STL"] == used["LDL"] == 0
    assert ".local" not in built.ptx
    tensor_cores = "HGMMA" if capability == HOPPER else "HMMA"
    assert (used[tensor_cores] > 0) is FORMATS[dtype].blocked
    assert (used["FFMA"] >= 512) is not FORMATS[dtype].blocked
    assert ("wgmma.mma_async" in built.ptx) is (capability == HOPPER and FORMATS[dtype].blocked)


PERSISTENT = [(dtype, chosen) for dtype, listed in CONFIGURATIONS.items() for chosen in listed if chosen.persistent]
PLAIN = [(dtype, chosen) for dtype, listed in CONFIGURATIONS.items() for chosen in listed if not chosen.persistent]
LARGEST = [(dtype, next(each for each in listed if not each.persistent)) for dtype, listed in CONFIGURATIONS.items()]


@pytest.mark.parametrize(("dtype", "chosen"), PERSISTENT)
def test_persistent_programs_are_fed_by_the_tma(dtype, chosen, tmp_path):
    built = build(by_boxes(dtype, chosen), chosen, HOPPER, tmp_path)
    check(built, dtype, HOPPER)
    assert {"UTMALDG.2D", "UTMASTG.2D"} <= set(built.opcodes)
    assert not [opcode for opcode in built.opcodes if opcode.startswith(("LDG", "STG"))]
    assert built.shared <= min(SHARED_BYTES, chosen.shared_bytes(ITEMSIZES[dtype]))


@pytest.mark.parametrize(("dtype", "chosen"), PLAIN)
def test_tiles_are_read_by_asynchronous_copies(dtype, chosen, tmp_path):
    built = build(by_addresses(dtype, chosen, whole=True), chosen, HOPPER, tmp_path)
    check(built, dtype, HOPPER)
    assert "LDGSTS.E.BYPASS.128" in built.opcodes
    assert built.shared <= min(SHARED_BYTES, chosen.shared_bytes(ITEMSIZES[dtype]))


@pytest.mark.parametrize(("dtype", "chosen"), LARGEST)
@pytest.mark.parametrize("capability", [HOPPER, AMPERE])
def test_edges_cost_no_local_memory_and_older_gpus_have_room(dtype, chosen, capability, tmp_path):
    built = build(by_addresses(dtype, chosen, whole=False), chosen, capability, tmp_path)
    check(built, dtype, capability)
    assert built.shared <= AMPERE_SHARED_BYTES


def test_true_float32_is_bound_by_its_multiply_adds(tmp_path):
    chosen = CONFIGURATIONS["float32"][0]
    opcodes = build(by_addresses("float32", chosen, whole=True), chosen, HOPPER, tmp_path).opcodes
    places = [place for place, opcode in enumerate(opcodes) if opcode == "FFMA"]
    assert len(places) == chosen.bm * chosen.bn * chosen.bp // (32 * chosen.warps)  # all of a turn of the loop, unrolled
    assert len(places) >= 0.88 * (places[-1] - places[0] + 1)
