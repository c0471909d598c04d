"""What a section of the page is made of; and matplotlib's figures as parts of a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from minisgd.common import pictures
from minisgd.common.tables.description import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, RULE = "#010203", "#d0d1d2"
"""Colours that no series has. The page replaces them by its own, light or dark."""

STYLE: dict[Any, Any] = {
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": RULE,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "legend.framealpha": 0,
}  # fmt: skip

CSS_DPI = 96
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


@dataclass(frozen=True)
class Picture:
    """A drawing, and its finding for readers who do not see it."""

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
        Fills it, when it has no data.
    sentences : list of str
        Findings, computed from the data.
    """

    name: str
    title: str
    command: str
    sentences: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    def draw(self, figure: Figure, finding: str) -> None:
        """Add a picture. Its element ids begin with the section's name, so that they are unique in the page."""
        prefix = f"{self.name}-{len(self.pictures)}"
        self.pictures.append(Picture(inline(figure, prefix), finding))

    @property
    def empty(self) -> bool:
        """Whether there was nothing to show."""
        return not (self.sentences or self.pictures or self.tables)


def inline(figure: Figure, prefix: str) -> str:
    """A figure as SVG for the page, with the page's colours and with ids that begin with a prefix."""
    svg = pictures.svg(figure)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]*)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg)
    tag = f'<svg xmlns="http://www.w3.org/2000/svg" {XLINK} style="max-width: {figure.get_figwidth() * CSS_DPI:.0f}px" '
    svg = re.sub(r'^<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda found: f"{tag}{found[1]}>", svg)
    return svg.replace(INK, "currentColor").replace(RULE, "var(--rule)").replace("#000000", "currentColor")
