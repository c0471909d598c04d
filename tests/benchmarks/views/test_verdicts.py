"""A gate's outcome in each format, with names that the formats give a meaning to."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from runs_for_tests import MACHINE, make_record

from benchmarks.gate.outcome import Change, Outcome, Row
from benchmarks.gate.verdict import Verdict
from benchmarks.harness.records import Case
from benchmarks.views import verdicts
from minisgd.common.tables.to_terminal import to_terminal
from minisgd.common.terminal import console

NASTY = "x[/red]|<&`/full"
OVER = Change(kernel="numba/full", figure="spills", base=0.0, head=2.0, most=1.0)


def row(verdict, kernel="numpy/full", failure=None):
    fields = make_record(kernel=kernel).model_dump(include=set(Case.model_fields))
    return Row(case=Case(**fields), verdict=verdict, ratio=1.1, low=1.05, high=1.2, blocks=10, failure=failure)


def outcome(*rows, changes=()):
    return Outcome(
        base="b" * 40,
        head="h" * 40,
        min_effect=0.03,
        budget_s=60,
        seconds=30,
        machine=MACHINE,
        rows=list(rows),
        changes=list(changes),
    )


FAILED = row(Verdict.FAILED, failure="head: OSError: <no> | `luck`\x1b[2J")


@pytest.mark.parametrize(
    ("found", "heading"),
    [
        (outcome(row(Verdict.SLOWER)), "Slower"),
        (outcome(FAILED), "Failed"),
        (outcome(row(Verdict.SLOWER), FAILED), "Slower, failed"),
        (outcome(changes=[OVER]), "Over budget"),
        (outcome(row(Verdict.SAME), FAILED, changes=[OVER]), "Failed, over budget"),
        (outcome(row(Verdict.INCONCLUSIVE)), "Inconclusive"),
        (outcome(row(Verdict.SAME)), "No benchmark got slower"),
        (outcome(), "Nothing measured"),
    ],
)
def test_a_comment_is_headed_by_what_was_found(found, heading):
    assert verdicts.markdown(found, "nothing yet").splitlines()[0] == f"## {heading}"


def test_a_comment_has_a_row_of_six_cells_whatever_a_name_holds():
    made = verdicts.markdown(outcome(row(Verdict.SLOWER, kernel=NASTY), FAILED), "nothing yet")
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(made)
    cells = [after for token, after in pairwise(tokens) if token.type == "td_open"]
    assert len(cells) == 12
    name = "".join(each.content for each in cells[7].children)
    assert name == "x[/red]|<&`/full-256-float32-x1"
    assert not [each for token in tokens for each in token.children or [] if each.type == "html_inline"]
    assert "\x1b" not in made


def test_a_report_for_a_ci_is_xml_whatever_a_name_holds():
    text = verdicts.junit(outcome(row(Verdict.SLOWER, kernel=NASTY), row(Verdict.SAME, kernel="é/full"), FAILED))
    assert text.isascii()
    failed, slower, same = ElementTree.fromstring(text).findall("testcase")
    assert failed.find("error").get("message") == "failed: head: OSError: <no> | `luck`?[2J"
    assert slower.get("name") == "x[/red]|<&`/full-256-float32-x1"
    assert same.get("name") == "é/full-256-float32-x1"


def test_a_table_and_sentences_show_a_name_as_it_is(capsys):
    found = outcome(row(Verdict.SLOWER, kernel=NASTY), FAILED)
    screen = console(None)
    screen.print(to_terminal(verdicts.table_of(found.rows, f"now {NASTY}")))
    for sentence in verdicts.sentences(found):
        screen.print(sentence, markup=False)
    said = capsys.readouterr().out
    assert "x[/red]|<&`" in said
    assert not {"\x1b", "\x00"} & set(said)


def test_what_was_not_timed_says_so_and_why_in_every_format():
    case = row(Verdict.SAME).case
    found = outcome(Row(case=case, verdict=Verdict.SAME, untimed="same machine code"), row(Verdict.SAME, kernel="numpy/block"))
    assert found.status == 0
    text = verdicts.markdown(found, "nothing yet")
    assert "no change (same machine code)" in text
    assert f"Not timed, since both sides run the same machine code and the same Python around it: {case.title}." in text
    assert Row.model_validate_json(found.rows[0].model_dump_json()).untimed == "same machine code"
    tests = ElementTree.fromstring(verdicts.junit(found)).findall("testcase")
    assert [test.findtext("system-out") for test in tests].count("not timed: same machine code") == 1
