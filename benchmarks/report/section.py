"""What a section of the page is made of; and rich's tables and matplotlib's figures as parts of a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from minisgd.common import pictures
from minisgd.common.plain import LAYOUT, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

INK, RULE = "#010203", "#d0d1d2"
"""Colours that no series has: in the page they become its own ink and rules, light or dark."""

STYLE: dict[Any, Any] = {
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": RULE,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "legend.framealpha": 0,
}  # fmt: skip

CSS_DPI = 96
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


@dataclass(frozen=True)
class Grid:
    """A table of text: what the page shows, and sorts and filters."""

    headings: list[str]
    rows: list[list[str]]
    caption: str = ""
    links: dict[str, str] = field(default_factory=dict)
    """Addresses of cells, by their text."""

    def captioned(self, caption: str) -> Grid:
        """The same with more in its caption."""
        return replace(self, caption=f"{self.caption}; {caption}" if self.caption else caption)


@dataclass(frozen=True)
class Picture:
    """A drawing, and its finding for those who do not see it."""

    svg: str
    finding: str


@dataclass
class Section:
    """A part of the page.

    Parameters
    ----------
    name : str
        Its address in the page.
    title : str
    command : str
        What would fill it.
    sentences : list of str
        What the data say, computed from them.
    """

    name: str
    title: str
    command: str
    sentences: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Grid] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    def draw(self, figure: Figure, finding: str) -> None:
        """Add a picture; its parts' names begin with the section's, since names are the page's own."""
        prefix = f"{self.name}-{len(self.pictures)}"
        self.pictures.append(Picture(inline(figure, prefix), finding))

    @property
    def empty(self) -> bool:
        """Whether there was nothing to show."""
        return not (self.sentences or self.pictures or self.tables)


def grid(made: Table) -> Grid:
    """A terminal's table as text."""
    columns = [[_plain(cell) for cell in column.cells] for column in made.columns]
    headings = [_plain(column.header) for column in made.columns] if made.show_header else ["", *[""] * (len(columns) - 1)]
    return Grid(headings, [list(row) for row in zip(*columns, strict=True)], _plain(made.title or ""))


def inline(figure: Figure, prefix: str) -> str:
    """A figure as SVG for the page: text as text, colours of the page, and names of its own."""
    svg = pictures.svg(figure)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]*)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg)
    tag = f'<svg xmlns="http://www.w3.org/2000/svg" {XLINK} style="max-width: {figure.get_figwidth() * CSS_DPI:.0f}px" '
    svg = re.sub(r'^<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda found: f"{tag}{found[1]}>", svg)
    return svg.replace(INK, "currentColor").replace(RULE, "var(--rule)").replace("#000000", "currentColor")


def _plain(cell: Any) -> str:
    return printable(str(cell), keep=LAYOUT).strip()
