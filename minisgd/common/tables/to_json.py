"""A table for programs, as values that JSON has; and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minisgd.common.tables.description import Column, Table, Value


def to_json(table: Table) -> dict[str, Any]:
    """Title, headings, units, and the rows' values.

    Examples
    --------
    >>> table = Table([Column("kernel", align="left"), Column("median", "s")], "a title")
    >>> table.add("numpy/full", 0.0123)
    >>> to_json(table)
    {'title': 'a title', 'headings': ['kernel', 'median'], 'units': ['', 's'], 'rows': [['numpy/full', 0.0123]]}
    """
    return {
        "title": table.title,
        "headings": [column.heading for column in table.columns],
        "units": [column.unit for column in table.columns],
        "rows": [[cell.value for cell in row] for row in table.rows],
    }


def from_json(title: str, headings: Sequence[str], rows: Sequence[Sequence[Value]], units: Sequence[str] = ()) -> Table:
    """The table of what `to_json` gave: its first column is of text. Files of older versions have text alone, and no units.

    Raises
    ------
    ValueError
        If a row has more values than there are headings.
    """
    known = [*units, *[""] * (len(headings) - len(units))]
    columns = [
        Column(heading, unit, "right" if place else "left")
        for place, (heading, unit) in enumerate(zip(headings, known, strict=True))
    ]
    made = Table(columns, title)
    for row in rows:
        made.add(*row)
    return made
