"""A table as data: what its columns mean, and what its cells hold. How that looks is each renderer's affair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from minisgd.common.units import digits, percent, seconds, size

Value = str | int | float | None
"""None is an empty cell."""

Style = Literal["", "strong", "faint", "good", "bad", "unsure"]

FORMS: dict[str, Callable[[Any], str]] = {"s": seconds, "B": size, "%": percent}
"""How a number of a unit is written; of any other unit, with three digits."""


@dataclass(frozen=True)
class Column:
    """What the cells below a heading are.

    Parameters
    ----------
    heading : str
    unit : str
        Of its numbers: "s", "B", "%", "GFLOPS", or none. They are held in this unit and written by `FORMS`.
    align : {"right", "left"}
    help : str
        What the figure is, in a sentence without its full stop.
    code : bool
        Whether the cells are names or commands, which Markdown shows in the type of code.
    """

    heading: str
    unit: str = ""
    align: Literal["right", "left"] = "right"
    help: str = ""
    code: bool = False

    def write(self, value: Value) -> str:
        """A value as text: a number in its unit, text and whole numbers without one as they are.

        Examples
        --------
        >>> Column("median", "s").write(0.0123), Column("ratio").write(1.5), Column("threads").write(1024)
        ('12.3 ms', '1.50', '1024')
        """
        if value is None or isinstance(value, str):
            return value or ""
        return str(value) if isinstance(value, int) and not self.unit else FORMS.get(self.unit, digits)(value)


words = partial(Column, align="left")
"""A column of text."""


@dataclass(frozen=True)
class Cell:
    """A value with its text, and how it is to be seen.

    Parameters
    ----------
    value : str, int, float or None
        What programs read and what rows are sorted by; a number is in the column's unit.
    text : str, optional
        What is shown; the column writes the value if it is None.
    style : str
    link : str
        Address that the text leads to.
    """

    value: Value
    text: str | None = None
    style: Style = ""
    link: str = ""


def interval(low: float, high: float, write: Callable[[float], str] = digits, mark: str = "") -> Cell:
    """A cell from the low to the high end of an interval, sorted by the low end.

    Examples
    --------
    >>> interval(49.0, 51.0).text
    '49.0-51.0'
    """
    return Cell(low, f"{write(low)}-{write(high)}{mark}")


@dataclass
class Table:
    """Rows of typed cells below described columns.

    Parameters
    ----------
    columns : list of Column
        Where no heading has text, the table has no header.
    title : str
    rows : list of list of Cell
        Each with its text.
    rules : set of int
        Numbers of rows that begin a group, which some renderers set apart.
    """

    columns: list[Column]
    title: str = ""
    rows: list[list[Cell]] = field(default_factory=list)
    rules: set[int] = field(default_factory=set)

    @property
    def headed(self) -> bool:
        """Whether there is a header."""
        return any(column.heading for column in self.columns)

    def add(self, *values: Value | Cell, style: Style = "") -> None:
        """Add a row; columns at the right that are left out are empty. The style is that of the cells which have none.

        Raises
        ------
        ValueError
            If there are more values than columns.
        """
        if len(values) > len(self.columns):
            raise ValueError(f"{len(values)} cells for {len(self.columns)} columns")
        values += (None,) * (len(self.columns) - len(values))
        cells = [value if isinstance(value, Cell) else Cell(value) for value in values]
        self.rows.append(
            [
                replace(
                    cell,
                    text=column.write(cell.value) if cell.text is None else cell.text,
                    style=cell.style or style,
                )
                for column, cell in zip(self.columns, cells, strict=True)
            ]
        )

    def rule(self) -> None:
        """Begin a group of rows."""
        self.rules.add(len(self.rows))

    def captioned(self, caption: str) -> Table:
        """The same table with more in its title."""
        return replace(self, title="; ".join(filter(None, (self.title, caption))))
