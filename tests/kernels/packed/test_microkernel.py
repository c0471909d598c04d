"""The machine code itself: as many multiply-adds as the tile has, and nothing spilled."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from llvmlite import binding, ir

from kernels.cpu.tiles import packed_tiling, register_tile
from kernels.cpu.vectors import Vectors, vectors
from kernels.packed import microkernel

CODE = """
import sys
from numba import types
from kernels.packed import microkernel
lanes, wide, registers, dtype = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), getattr(types, sys.argv[4])
tile = microkernel.compiled(lanes, wide, registers, 0, int(sys.argv[5]), dtype)
(text,) = tile.inspect_asm().values()
print(text)
"""


def assembly(lanes, wide, registers, dtype, halves=False, **environment):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(lanes), str(wide), str(registers), dtype, str(int(halves))],
        capture_output=True, text=True, timeout=200,
        env=os.environ | {"NUMBA_CACHE_DIR": environment.pop("cache")} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout


def loops(text):
    """Instructions of each innermost loop: from a label to the jump back to it."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    labels = {match[1]: place for place, line in enumerate(lines) if (match := re.match(r"^(\.LBB\w+):", line))}
    for place, line in enumerate(lines):
        jump = re.match(r"^(?:j\w+|b\.\w+|cbn?z\s+\w+,)\s+(\.LBB\w+)", line)
        if jump and labels.get(jump[1], place) < place:
            body = lines[labels[jump[1]] + 1 : place]
            if not any(re.match(r"^\.LBB", inner) for inner in body):
                yield body


X86 = {"AVX-512": ("zmm", 64, 32), "AVX2": ("ymm", 32, 16)}
OLDER = "+avx,+avx2,+fma,+bmi,+bmi2,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2"
WIDER = OLDER + ",+avx512f,+avx512vl,+avx512dq,+avx512bw,+avx512cd"
SETS = {
    "AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": OLDER},
    "AVX-512": {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": WIDER},
}


@pytest.mark.skipif(vectors().name not in X86, reason="reads x86 assembly")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", list(X86))
def test_a_full_tile_keeps_every_sum_in_a_register(target, dtype, tmp_path):
    register, width, registers = X86[target]
    size = 4 if dtype == "float32" else 8
    found = {each.name: each.result for each in packed_tiling(dtype, None, Vectors(target, width, registers))}
    lanes = width // size
    wide, rows = found["mr"] // lanes, found["nr"]
    text = assembly(lanes, wide, registers, dtype, cache=str(tmp_path), **SETS[target])
    fma = re.compile(rf"^vfn?madd\d+p[sd]\b.*{register}")
    counted = [(sum(bool(fma.match(line)) for line in body), body) for body in loops(text)]
    full = [(count, body) for count, body in counted if count and count % (wide * rows) == 0]
    assert full, f"no loop has a multiple of {wide * rows} multiply-adds: {sorted({count for count, _ in counted})}"
    for _, body in full:
        spilled = [line for line in body if re.match(r"^v?mov\w+", line) and "(%rsp" in line and register in line]
        assert not spilled, spilled


@pytest.mark.skipif(vectors().name not in X86, reason="reads x86 assembly")
def test_a_last_vector_that_fits_a_half_is_half_as_wide(tmp_path):
    text = assembly(16, 2, 32, "float32", halves=True, cache=str(tmp_path), **SETS["AVX-512"])
    counts = {
        tuple(sum(bool(re.match(rf"^vfn?madd\d+ps\b.*{register}", line)) for line in body) for register in ("zmm", "ymm"))
        for body in loops(text)
    }
    assert {(rows, rows) for rows in range(1, microkernel.MAX_NR + 1)} <= counts  # a vector and a half, a step at a time
    assert {(0, rows) for rows in range(1, microkernel.MAX_NR + 1)} <= counts


OTHERS = {
    "NEON": ("aarch64-unknown-linux-gnu", "neoverse-n1", Vectors("NEON", 16, 32, early=True), r"fmla\s+v", r"\bq\d+.*\[sp"),
    "Apple": ("aarch64-unknown-linux-gnu", "apple-m1", Vectors("NEON", 16, 32, early=True), r"fmla\s+v", r"\bq\d+.*\[sp"),
    "plain": ("x86_64-unknown-linux-gnu", "x86-64", Vectors("128-bit", 16, 16, early=True), r"mulp[sd]", r"%rsp.*xmm|xmm.*%rsp"),
    "AVX-512": (
        "x86_64-unknown-linux-gnu",
        "cascadelake",
        Vectors("AVX-512", 64, 32),
        r"vfn?madd\w+p.*zmm",
        r"%rsp.*zmm|zmm.*%rsp",
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", list(OTHERS))
def test_compiled_for_another_cpu_no_sum_leaves_its_register(target, dtype):
    triple, cpu, unit, multiply, on_stack = OTHERS[target]
    element, lanes = (ir.FloatType(), unit.lanes(4)) if dtype == "float32" else (ir.DoubleType(), unit.lanes(8))
    width, rows = register_tile(lanes, unit)
    module = ir.Module()
    module.triple = triple
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 11 + [element] * 2)
    function = ir.Function(module, kind, "tile")
    builder = ir.IRBuilder(function.append_basic_block())
    shape = microkernel.Shape(element, lanes, width // lanes, rows, microkernel.WHOLE)
    microkernel.emit_tile(builder, shape, microkernel.Tile(*function.args))
    builder.ret_void()
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features="-prefer-256-bit" * (cpu == "cascadelake"), opt=3
    )
    text = machine.emit_assembly(binding.parse_assembly(str(module)))
    counted = [(sum(bool(re.match(multiply, line)) for line in body), body) for body in loops(text)]
    whole = width // lanes * rows
    assert any(count == microkernel.UNROLLED * whole for count, _ in counted), [count for count, _ in counted]
    for count, body in counted:
        assert count % whole == 0
        assert not [line for line in body if re.search(on_stack, line)]


def test_another_target_s_code_is_never_loaded(tmp_path):
    """The cache on disk keeps the machine codes of two targets apart."""
    if vectors().name not in X86:
        pytest.skip("reads x86 assembly")
    cache = str(tmp_path)
    first = assembly(8, 2, 16, "float32", cache=cache, **SETS["AVX2"])
    assert "ymm" in first
    assert "zmm" not in first
    other = assembly(16, 2, 16, "float32", cache=cache, **SETS["AVX-512"])
    assert "zmm" in other


DOTS = """
import sys
from numba import types
from kernels.packed.matvec import dots
print(*dots.compiled(getattr(types, sys.argv[1])).inspect_asm().values())
"""


@pytest.mark.skipif(vectors().name not in X86, reason="reads x86 assembly")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("target", "sums"), [("AVX2", 12), ("AVX-512", 24)])
def test_every_sum_of_a_tile_of_dot_products_stays_in_its_register(target, sums, dtype, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", DOTS, dtype], capture_output=True, text=True, timeout=200,
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)} | SETS[target],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    found = [body for body in loops(done.stdout) if any(re.match(r"^vfmadd", line) for line in body)]
    tiles = {height * columns for height in (4, 8) for columns in range(1, sums // height + 1)}
    assert tiles <= {sum(line.startswith("vfmadd") for line in body) for body in found}
    for body in found:
        masked = any("vmaskmov" in line for line in body)  # the last step, where AVX2 needs a register for the mask
        assert masked or not [line for line in body if "%rsp" in line and re.search(r"[xyz]mm", line)]
