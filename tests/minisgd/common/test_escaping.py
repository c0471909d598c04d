"""Whatever a name holds, each format's own reader gives it back, and nothing more."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from minisgd.common.escaping import cell, code, glob, inline, prose
from minisgd.common.plain import printable
from minisgd.common.terminal import console

NAMES = st.text(st.one_of(st.sampled_from("`|\\<&>*_~[]()!#-+=.1 @\"'\n\x1b\t$:"), st.characters()), max_size=12)
NASTY = ["a|b", "a\\|b", "`|`", "<script>", "&lt;", "1. x", "1) x", "- x", "+ x", "# x", "===", "---", "![a](b)",
         "a\n| b |", "~~x~~", "x\x1b[31m\x00", "a  ", "    a", "__x__", "\\", "<!-- x", "\ud800", "> x"]  # fmt: skip


def shown(markdown):
    """Texts of the paragraphs and cells that a reader of GitHub's Markdown sees; no other block, no mark."""
    texts = []
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown):
        assert token.type.removesuffix("_open").removesuffix("_close") in (
            "paragraph", "inline", "table", "thead", "tbody", "tr", "th", "td"
        ), token  # fmt: skip
        if token.type == "inline":
            assert {each.type for each in token.children} <= {"text", "text_special", "code_inline", "softbreak"}, token.children
            texts.append("".join(each.content for each in token.children))
    return texts


def words(text):
    return printable(text).strip()


@given(NAMES)
@example("a|b")
def test_prose_is_read_as_it_is(name):
    assert [words(each) for each in shown(prose(name))] == ([words(name)] if words(name) else [])


@given(NAMES)
@example("+ a|b")
@example("1. a")
def test_a_cell_is_read_as_it_is(name):
    assert [words(each) for each in shown(f"| a |\n|---|\n| {inline(name)} |")] == ["a", words(name)]


@given(NAMES, NAMES)
def test_a_table_keeps_its_cells(name, reason):
    cells = shown(f"| a | b | c |\n|---|---|---|\n| {code(name)} | failed: {prose(reason)} | |")
    assert [each.strip() for each in cells] == ["a", "b", "c", words(name), f"failed: {words(reason)}".strip(), ""]


@pytest.mark.parametrize("name", NASTY)
def test_known_attacks_are_read_as_they_are(name):
    assert [words(each) for each in shown(prose(name))] == [words(name)]
    assert shown(f"| a |\n|---|\n| {code(name)} |")[1].strip() == words(name)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1"])
def test_no_cell_is_a_formula(text):
    assert cell(text).startswith("'")
    assert "\n" not in cell(text)


@pytest.mark.parametrize("value", [-1.5, -1, 1e-9, None, "numba/full", "", "2026-01-02T03:04:05+00:00"])
def test_numbers_and_usual_names_stay_as_they_are(value):
    assert cell(value) is value


@pytest.mark.parametrize("title", ["numba/full-64", "a'b; rm -rf /", "[x]*?", "$(id)", "a\x1bb", 'a"b'])
def test_a_pattern_is_one_word_for_a_shell_and_matches_the_title(title):
    word = subprocess.run(["sh", "-c", f"printf %s {glob(title)}"], capture_output=True, text=True, check=True).stdout
    assert fnmatchcase(title, word)
    assert word.isprintable()
    assert not fnmatchcase(title + "x", word) or "*" in title


def test_a_terminal_gets_no_control_character_of_a_name(capsys):
    console(None).print("a\x1b[31mb\x9bc‮d", markup=False)
    assert capsys.readouterr().out == "a?[31mb?c?d\n"
