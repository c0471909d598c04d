"""A table for a terminal, by rich: on a narrow one a cell goes on in the next line, and nothing is cut off."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable

from minisgd.common.tables.description import Table
from minisgd.common.terminal import styled

STYLES = {"": "", "strong": "bold", "faint": "dim", "good": "green", "bad": "red", "unsure": "yellow"}


def to_terminal(table: Table) -> RichTable:
    """What a console prints."""
    made = RichTable(
        box=SIMPLE_HEAD if table.headed else None,
        show_header=table.headed,
        title=styled(table.title, "bold") if table.title else None,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in table.columns:
        made.add_column(styled(column.heading, ""), justify=column.align, overflow="fold")
    for number, row in enumerate(table.rows, start=1):
        cells = (styled(cell.text or "", STYLES[cell.style]) for cell in row)
        made.add_row(*cells, end_section=number in table.rules)
    return made
