"""A table in GitHub's Markdown: text from elsewhere is escaped, figures are written as they are."""

from __future__ import annotations

from collections.abc import Iterable

from minisgd.common.escaping import code, inline
from minisgd.common.tables.description import Cell, Column, Table


def to_markdown(table: Table) -> str:
    r"""Header, alignments and rows; the title is left to the text around it.

    Examples
    --------
    >>> table = Table([Column("kernel", align="left"), Column("median", "s")])
    >>> table.add("a|b", 0.0123)
    >>> print(to_markdown(table))
    | kernel | median |
    |---|---:|
    | a\|b | 12.3 ms |

    Source: GitHub Flavored Markdown, section 4.10.
    """
    marks = ("---:" if column.align == "right" else "---" for column in table.columns)
    rows = (_row(map(_cell, table.columns, row)) for row in table.rows)
    return "\n".join([_row(inline(column.heading) for column in table.columns), f"|{'|'.join(marks)}|", *rows])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(column: Column, cell: Cell) -> str:
    text = cell.text or ""
    shown = code(text) if column.code and text else inline(text) if isinstance(cell.value, str) else text.strip()
    return f"[{shown}]({cell.link})" if cell.link else shown
