"""What is measured, what is left out and what has failed before anything is measured, on sides that are made up."""

from __future__ import annotations

import pytest

from benchmarks import tracked
from benchmarks.gate import choosing, sides
from benchmarks.gate.grids import Grid
from benchmarks.gate.paired import Side
from benchmarks.gate.probe import Probed

FULL, BLOCK = (tracked.case("gemm", kernel, 64, "float32", 1) for kernel in ("numpy/full", "numpy/block"))


@pytest.fixture
def choose(monkeypatch):
    """What is chosen of two grids; each kernel imports a file called like its rung."""
    monkeypatch.setattr(choosing, "_probe", lambda side, case: Probed(frozenset({case.rung}), {}))

    def choose(base, head, changed=("full", "block"), apart=False, only=(), everything=False):
        pair = sides.Pair(
            Side("base"),
            Side("head"),
            {},
            frozenset(changed),
            apart,
            lambda side, device: {"base": base, "head": head}[side.name],
        )
        return choosing.choose(pair, only, everything)

    return choose


def grid(*cases, **missing):
    return Grid(dict.fromkeys(cases, "outer"), missing)


def test_only_what_the_change_can_touch_is_measured_unless_requirements_differ(choose):
    both = grid(FULL, BLOCK)
    found = choose(both, both, changed={"full"})
    assert (found.cases, found.left_out) == ([FULL], {"imports no file that differs": ["numpy/block"]})
    assert choose(both, both, changed=(), apart=True).cases == [FULL, BLOCK]
    assert choose(both, both, changed=(), everything=True).cases == [FULL, BLOCK]
    assert choose(both, both, only=["numpy/bl*"]).cases == [BLOCK]


def test_what_is_gone_has_failed_and_what_is_new_is_left_out(choose):
    gone = choose(grid(FULL, BLOCK), grid(FULL))
    assert (gone.cases, gone.failed) == ([FULL], {BLOCK: "head: it is not there any more"})
    new = choose(grid(FULL), grid(FULL, BLOCK))
    assert (new.cases, new.failed) == ([FULL], {})
    assert new.left_out == {"base has nothing to compare with": ["numpy/block"]}


def test_a_plug_in_that_cannot_be_imported_is_named_with_its_side(choose):
    assert choose(grid(FULL), grid(outer="it crashed")).failed == {FULL: "head: it crashed"}
    assert choose(grid(outer="it crashed"), grid(FULL)).left_out == {"base: it crashed": ["numpy/full"]}
    assert choose(grid(), grid(outer="it crashed")).left_out == {"head: it crashed": ["outer"]}


def test_a_comment_is_no_change_and_a_statement_is(tmp_path):
    sides_of = [tmp_path / name for name in ("base", "head")]
    texts = {
        "documented.py": ('"""Old."""\nx = 1\n', '"""New."""\n# and more\nx = (1)\n'),
        "changed.py": ("x = 1\n", "x = 2\n"),
        "broken.py": ("x =\n", "x = =\n"),
        "data.txt": ("# 1", "# 2"),
        "same.txt": ("1", "1"),
    }
    for place, folder in enumerate(sides_of):
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text[place], encoding="utf-8")
    assert sides.changed(*sides_of, lambda side: side.iterdir()) == {"changed.py", "broken.py", "data.txt"}
