"""One table in each of its forms: values, units, alignment, and text that a format would give a meaning to."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from minisgd.common.tables.description import Cell, Column, Table, interval, words
from minisgd.common.tables.to_html import to_html
from minisgd.common.tables.to_json import from_json, to_json
from minisgd.common.tables.to_markdown import to_markdown
from minisgd.common.tables.to_terminal import to_terminal
from minisgd.common.terminal import Screen

HOSTILE = "<b>|`[x](y)` & [red]a\x1b[2Jb"
SHOWN = "<b>|`[x](y)` & [red]a?[2Jb"


def a_table():
    made = Table([words("kernel"), Column("threads"), Column("median", "s", help="of a call"), Column("of peak", "%")], "a title")
    made.add("numpy/full", 2, 0.0123, Cell(None, "not reached"))
    made.rule()
    made.add(HOSTILE, 1, interval(1e-6, 2e-6, made.columns[2].write), 0.01, style="bad")
    return made


def printed(table, width=100):
    screen = Screen(width=width)
    with screen.capture() as text:
        screen.print(to_terminal(table))
    return text.get()


class Reader(HTMLParser):
    """What a browser makes of a table: tags with their attributes, and the texts of cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("td", "th"):
            self.texts.append("")

    def handle_data(self, data):
        if self.texts and data.strip():
            self.texts[-1] += data


CELLS = [["numpy/full", "2", "12.3 ms", "not reached"], [SHOWN, "1", "1.00 us-2.00 us", "< 0.1"]]


def test_a_number_is_written_in_its_column_s_unit():
    assert [[cell.text for cell in row] for row in a_table().rows] == [CELLS[0], [HOSTILE, *CELLS[1][1:]]]
    made = Table([Column("size", "B"), Column("rate", "GFLOPS"), Column("nothing", "s")])
    made.add(49152, 1234.5)
    assert [cell.text for cell in made.rows[0]] == ["48 KiB", "1,230", ""]


def test_a_row_with_too_many_cells_is_refused():
    with pytest.raises(ValueError, match="2 cells for 1 columns"):
        Table([Column("a")]).add(1, 2)


def test_a_terminal_shows_each_cell_under_its_heading():
    lines = [line.rstrip() for line in printed(a_table()).splitlines()]
    assert lines[0] == "a title"
    assert lines[2].split("  ")[0].strip() == "kernel"
    right = [lines[2].index("median") + len("median"), lines[4].index("12.3 ms") + len("12.3 ms")]
    assert right[0] == right[1]
    assert lines[5] == ""  # the rule
    assert SHOWN in lines[6]


def test_a_narrow_terminal_cuts_nothing_off():
    text = printed(a_table(), width=30)
    assert all(letter in text for letter in "numpy/full")
    assert "…" not in text


def test_markdown_is_read_as_the_cells():
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(to_markdown(a_table()))
    texts = ["".join(child.content for child in token.children) for token in tokens if token.type == "inline"]
    assert texts == ["kernel", "threads", "median", "of peak", *CELLS[0], *CELLS[1]]
    aligned = [dict(token.attrs).get("style") for token in tokens if token.type == "th_open"]
    assert aligned == [None, "text-align:right", "text-align:right", "text-align:right"]
    assert not [child for token in tokens for child in token.children or [] if child.type in ("html_inline", "link_open")]


def test_markdown_shows_names_in_the_type_of_code_and_links():
    made = Table([words("name", code=True), words("commit")])
    made.add("numba/full", Cell("abc", link="https://example.org/abc"))
    assert to_markdown(made).splitlines()[-1] == "| `numba/full` | [abc](https://example.org/abc) |"


def test_html_holds_text_alone_and_values_to_sort_by():
    read = Reader(to_html(a_table()))
    assert read.texts == ["kernel", "threads", "median", "of peak", *CELLS[0], *CELLS[1]]
    assert {tag for tag, _ in read.tags} == {"table", "thead", "tbody", "tr", "th", "td", "button"}
    cells = [attributes for tag, attributes in read.tags if tag in ("th", "td")]
    assert [each.get("data-value") for each in cells[4:]] == [None, "2", "0.0123", None, None, "1", "1e-06", "0.01"]
    assert cells[2]["title"] == "of a call"
    assert ["left" in each["class"] for each in cells[:4]] == [True, False, False, False]
    assert all("bad" in each["class"] for each in cells[8:])


def test_html_links_cells():
    made = Table([words("commit")])
    made.add(Cell("abc", link='https://example.org/"><script>'))
    assert ("a", {"href": 'https://example.org/"><script>'}) in Reader(to_html(made)).tags


@pytest.mark.parametrize("headed", [True, False])
def test_a_table_without_headings_has_no_header_and_is_not_sorted(headed):
    made = Table([words("what" if headed else ""), words("")])
    made.add("CPU", "a CPU")
    assert ("<thead>" in to_html(made)) == ("sortable" in to_html(made)) == headed
    assert ("─" in printed(made)) == headed


def test_json_has_values_and_gives_the_table_back():
    kept = json.loads(json.dumps(to_json(a_table())))
    assert kept["headings"] == ["kernel", "threads", "median", "of peak"]
    assert kept["rows"][0] == ["numpy/full", 2, 0.0123, None]
    again = from_json(**kept)
    assert to_json(again) == kept
    assert again.rows[0][2].text == "12.3 ms"


def test_json_of_an_older_version_is_text():
    made = from_json("a title", ["batch", "epoch"], [["1", "30 us"]])
    assert [cell.text for cell in made.rows[0]] == ["1", "30 us"]
    assert [column.align for column in made.columns] == ["left", "right"]


def test_a_caption_is_added_to_the_title():
    assert a_table().captioned("more").title == "a title; more"
    assert Table([]).captioned("alone").title == "alone"
