"""What needs no clock, and above all what does: whatever may be slower though its machine code is the same."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest
from plugin import install

from benchmarks import tracked
from benchmarks.gate import machine_code, sides, untimed
from benchmarks.gate.machine_code import Code
from benchmarks.gate.paired import Side
from benchmarks.gate.programs import same_around
from benchmarks.harness.workers import Home, Worker

CASE = tracked.case("gemm", "numpy/full", 64, "float32", 1)
FILE = "mine_kernels.py"
SOURCE = """
WIDTH = 64

@njit
def loops(a, width):
    return a * 2

def full(a):
    return loops(a, WIDTH)
"""
BODY = SOURCE.replace("a * 2", "a + a")
LINES = frozenset({4})


@pytest.fixture
def same(tmp_path):
    """Whether no clock is needed, from both sides' sources, what runs on them, and what else differs."""

    def same(base, head, code=None, files=(), apart=False):
        found = {"base": made(), "head": code or made()}
        for name, text in (("base", base), ("head", head)):
            (tmp_path / name).mkdir()
            (tmp_path / name / FILE).write_text(text, encoding="utf-8")
        both = [Side(name, place=str(tmp_path / name)) for name in found]
        pair = sides.Pair(*both, {}, frozenset({FILE, *files}), apart)
        asked = []

        def ask(side, look, cases, place):
            asked.append(place)
            return found[side.name]

        imports = {CASE.kernel: frozenset({FILE})}
        cases = untimed.same_code(pair, [CASE], imports, ask, lambda kernel: None)
        return bool(cases), asked

    return same


def made(digest="1", lines=LINES, types="f", more=()):
    """Code of one function, and of others."""
    functions = {name: [(types, digest)] for name in ("mine_kernels.loops", *more)}
    return Code(frozenset({FILE}), {FILE: lines}, functions)


def test_a_body_that_comes_to_the_same_instructions_needs_no_clock(same):
    assert same(SOURCE, BODY)[0]


@pytest.mark.parametrize(
    "head",
    [
        BODY.replace("WIDTH = 64", "WIDTH = 8"),
        BODY.replace("loops(a, WIDTH)", "loops(a, WIDTH // 8)"),
        BODY.replace("@njit", "@njit(nogil=True)"),
        BODY.replace("def loops(a, width)", "def loops(a, width=8)"),
        BODY + "\nloops = slowed(loops)\n",
        BODY.replace("@njit", "@register\ndef other(a):\n    return a\n\n@njit", 1),
        "import slow\n" + BODY,
        BODY + "this is no Python",
    ],
)
def test_python_that_differs_is_measured_and_no_process_is_started_for_it(same, head):
    assert same(SOURCE, head) == (False, [])


@pytest.mark.parametrize(
    "code",
    [
        made("2"),
        made(lines=frozenset()),
        Code(frozenset({FILE, "more.py"}), {FILE: LINES}, made().functions),
        made(types="g"),
        made(more=["mine_kernels.more"]),
    ],
    ids=["other instructions", "run by the interpreter too", "imports more", "other types", "compiles more"],
)
def test_what_runs_otherwise_is_measured(same, code):
    assert not same(SOURCE, BODY, code)[0]


def test_what_may_be_read_or_linked_is_measured(same):
    assert same(SOURCE, BODY, files={"tuned.json"}) == (False, [])


def test_other_libraries_are_measured(same):
    assert same(SOURCE, BODY, apart=True) == (False, [])


def test_a_function_that_moves_below_what_wraps_it_is_another_program():
    wrapped = b"@njit\ndef f(x): return x\nf = wrap(f)\n"
    assert not same_around(wrapped, b"f = wrap(f)\n@njit\ndef f(x): return x\n")


ASSEMBLY = """
f_1:
\tvmulps\t.LCPI0_0(%rip), %ymm0, %ymm1
\tmovabsq\t$sin, %rax
\tretq
.LCPI0_0:
\t.long\t0x40000000
.const.pickledata.1:
\t.ascii\t"line 1 of base"
"""


def test_names_and_lines_of_errors_are_no_instructions_and_constants_and_calls_are():
    renamed = ASSEMBLY.replace("f_1", "g_2").replace("LCPI0_0", "LCPI1_0").replace("line 1", "line 2")
    found = [
        ASSEMBLY,
        renamed,
        ASSEMBLY.replace("0x4", "0x5"),
        ASSEMBLY.replace("$sin", "$cos"),
        ASSEMBLY.replace("ymm1", "ymm2"),
    ]
    first, *others = map(machine_code.normalised, found)
    assert [first == other for other in others] == [True, False, False, False]


KERNEL = """
    from numba import njit
    from kernels import kernel

    @njit
    def product(a, b, out):
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                total = 0.0
                for k in range(a.shape[1]):
                    total += a[i, k] * b[k, j]
                if total > 1e30:
                    raise OverflowError("large")
                out[i, j] = total

    @njit
    def uncalled(a):
        return a

    @kernel("mine", "full", dtypes=("float32",))
    def full(a, b, out):
        product(a, b, out)
"""
REFACTORED = """
    from numba import njit
    from kernels import kernel

    @njit
    def product(a, b, out):
        for row in range(out.shape[0]):
            for column in range(out.shape[1]):
                result = 0.0
                for place in range(a.shape[1]):
                    result = a[row, place] * b[place, column] + result
                if 1e30 < result:
                    raise OverflowError("beyond 1e30")
                out[row, column] = result

    @njit
    def uncalled(a):
        return 2 * a

    @kernel("mine", "full", dtypes=("float32",))
    def full(a, b, out):
        product(a, b, out)
"""
BOTH = "        product.py_func(a[:1], b, out[:1])\n        product(a, b, out)\n"
INTERPRETED = KERNEL.replace("        product(a, b, out)\n", BOTH)


def test_numbas_code_is_read_and_what_the_interpreter_runs_is_told(tmp_path):
    codes = {}
    for name, text in {"base": KERNEL, "head": REFACTORED, "interpreted": INTERPRETED}.items():
        (folder := tmp_path / name).mkdir()
        install(folder, "mine", text)
        worker = Worker(Home(path=(str(folder), *filter(None, sys.path)), environment={"NUMBA_CACHE_DIR": str(folder)}))
        try:
            codes[name] = worker.call(machine_code.look, 100, [CASE.model_copy(update={"kernel": "mine/full"})], str(folder))
        finally:
            worker.close()
    base, head, interpreted = codes.values()
    assert base.bodies == {FILE: {5, 16}}  # the second is called by nobody
    assert base.functions == head.functions
    assert interpreted.bodies == {FILE: {16}}
    assert base.functions == interpreted.functions
    assert same_around(*(dedent(text).encode() for text in (KERNEL, REFACTORED)), (base.bodies[FILE], head.bodies[FILE]))
