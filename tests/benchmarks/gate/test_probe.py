"""What is seen of a kernel's compiled code, whatever Numba's cache holds."""

from __future__ import annotations

from benchmarks.gate import budgets, choosing, grids
from benchmarks.gate.paired import Side
from benchmarks.gate.sides import NUMBA_CACHE
from benchmarks.harness.workers import Home


def case_of(kernel):
    """The largest, which may do what a small one does not."""
    cases = [case for case in grids.cases_here() if (case.kernel, case.threads) == (kernel, 1)]
    return max(cases, key=lambda case: case.shape["m"])


def test_numba_full_is_within_its_budget():
    figures = choosing._probe(Side("head"), case_of("numba/full")).figures
    assert 1 < figures["specialisations"] <= budgets.load()["numba/full"]["specialisations"]
    assert figures["multiply-adds"] > 100  # the microkernel's, which is called by its address


def test_what_another_probe_has_compiled_changes_no_figure_and_is_there_to_be_measured(tmp_path):
    side = Side("head", home=Home(environment={NUMBA_CACHE: str(tmp_path)}))
    first = choosing._probe(side, case_of("numba/rowwise"))
    assert list(tmp_path.rglob("*.nbc"))
    assert first.figures["specialisations"] == 1
    assert first.figures["multiply-adds"] > 0
    assert choosing._probe(side, case_of("numba/rowwise")).figures == first.figures
