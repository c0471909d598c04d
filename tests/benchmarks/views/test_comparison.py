"""What is said of a kernel and its peers, by how many blocks there are and by what held a peer back."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from runs_for_tests import make_record

from benchmarks.gate.comparison import compare
from benchmarks.gate.paired import Block
from benchmarks.harness.machines import Blas
from benchmarks.harness.records import Case
from benchmarks.views import comparison
from minisgd.common.tables.to_terminal import to_terminal

KERNEL, FAST, SLOW = "numba/full", "aocl/full", "numpy/full"
RECORD = make_record(kernel=KERNEL)
CASE = Case(**{name: getattr(RECORD, name) for name in Case.model_fields})
OWN = Blas(name="blis", version="5.3", threads=1, path="", backend="aocl", code_path="zen5")
TIED = Blas(
    name="openblas", version="0.3", threads=1, path="", backend="numpy", code_path="Haswell", held_back=["OPENBLAS_CORETYPE"]
)


def block(seconds):
    return Block({CASE: {name: [each] for name, each in seconds.items()}}, {})


def shown(seconds, blocks, libraries):
    found = [block(seconds)] * blocks
    compared = compare([CASE], found, KERNEL, None, libraries)
    screen = Console(file=io.StringIO(), width=200)
    screen.print(to_terminal(comparison.table_of(compared, KERNEL)))
    return compared[0], "\n".join(comparison.sentences(compared, KERNEL, found)), screen.file.getvalue()


@pytest.mark.parametrize(("blocks", "verdict"), [(1, "undecided"), (5, "undecided"), (6, "slower")])
def test_nothing_is_decided_by_fewer_blocks_than_give_an_interval(blocks, verdict):
    case, said, table = shown({KERNEL: 2.0, FAST: 1.0, SLOW: 3.0}, blocks, {})
    assert case.ahead.verdict == verdict
    assert f"{verdict} in 1" in said
    assert case.plain()["low"] == (0.5 if blocks == 6 else None)
    assert ("0.500-0.500" in table) == (blocks == 6)


def test_the_best_peer_is_named():
    case, said, table = shown({KERNEL: 1.0, FAST: 1.5, SLOW: 3.0}, 6, {FAST: OWN})
    assert case.best == case.plain()["best"] == FAST
    assert case.ahead.ratio == pytest.approx(1.5)
    assert "faster in 1" in said
    assert f"{FAST}: blis 5.3, code: zen5, its own choice." in said
    assert FAST in table.splitlines()[-2]


def test_a_peer_that_is_held_back_is_marked_and_is_no_bar():
    case, said, table = shown({KERNEL: 1.0, FAST: 1.5, SLOW: 1.2}, 6, {FAST: OWN, SLOW: TIED})
    assert case.best == FAST
    assert case.ahead.ratio == pytest.approx(1.5)
    assert f"{SLOW} (held back)" in table
    assert f"{SLOW}: openblas 0.3, code: Haswell, held back by OPENBLAS_CORETYPE." in said


def test_there_is_no_ratio_where_every_peer_is_held_back():
    case, said, table = shown({KERNEL: 1.0, SLOW: 1.2}, 6, {SLOW: TIED})
    assert f"{SLOW} (held back)" in table
    assert (case.best, case.ahead) == (None, None)
    assert "Every peer is held back: there is none to compare with." in said
    assert "times as fast" not in said
