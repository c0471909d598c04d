"""What a section of the page is made of; and matplotlib's figures as parts of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.report.findings import Fact
from minisgd.common import pictures
from minisgd.common.pictures import CYCLE, STYLES
from minisgd.common.plates import GREY, Plate
from minisgd.common.tables.description import Column, Table, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, RULE = "#010203", "#d0d1d2"
"""Colours that no series has. The page replaces them by its own, light or dark."""

STYLE: dict[Any, Any] = {
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": RULE,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "legend.framealpha": 0,
}  # fmt: skip

COLORS = sorted({color for color, _ in [*STYLES.values(), *CYCLE]} - {"#000000"} | {GREY})
"""The colours of series; each is a variable of the style sheet, which has another shade of it on dark paper."""

HALF = 5.5
"""Inches up to which a picture has room for another one beside it."""

CSS_DPI = 96
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


@dataclass(frozen=True)
class Picture:
    """Drawings side by side, as far as there is room; what they show, in words; whether another picture may stand beside."""

    panels: list[str]
    finding: str
    half: bool


@dataclass
class Group:
    """What a run has in a section: sentences and tables under the run's name."""

    title: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


@dataclass
class Section:
    """A part of the page.

    Parameters
    ----------
    name : str
        Its address in the page.
    title : str
    command : str
        Fills it when it has no data, and repeats it.
    story : bool
        Whether it is told with its sentences large and its pictures open, or is for looking things up.
    sentences : list of str
        Findings, computed from the data.
    facts : list of Fact
        The figures in the sentences, which become a table.
    """

    name: str
    title: str
    command: str
    story: bool = False
    sentences: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    sparklines: list[tuple[str, str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    def draw(self, drawn: Plate | Figure, finding: str) -> None:
        """Add a picture. Its element ids begin with the section's name, so that they are unique in the page."""
        figures = drawn.figures() if isinstance(drawn, Plate) else [drawn]
        prefix = f"{self.name}-{len(self.pictures)}"
        half = len(figures) == 1 and figures[0].get_figwidth() <= HALF
        self.pictures.append(Picture([inline(each, f"{prefix}-{place}") for place, each in enumerate(figures)], finding, half))

    def say(self, text: str, facts: Sequence[Fact] = ()) -> None:
        """Add a sentence, and its figures to those that are in the table."""
        self.sentences.append(text)
        self.facts += [fact for fact in facts if fact not in self.facts]

    @property
    def all_tables(self) -> list[Table]:
        """The table of the sentences' figures, and the others."""
        if not self.facts:
            return self.tables
        made = Table([words("figure"), Column("value"), Column("interval"), words("from")], "The figures in these sentences")
        for fact in self.facts:
            made.add(fact.what, fact.text, fact.spread, fact.source)
        return [made, *self.tables]

    @property
    def empty(self) -> bool:
        """Whether there was nothing to show."""
        return not (self.sentences or self.pictures or self.tables or self.groups)


def inline(figure: Figure, prefix: str) -> str:
    """A figure as SVG for the page, with the page's colours and with ids that begin with a prefix."""
    svg = pictures.svg(figure)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]*)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg)
    tag = f'<svg xmlns="http://www.w3.org/2000/svg" {XLINK} style="max-width: {figure.get_figwidth() * CSS_DPI:.0f}px" '
    svg = re.sub(r'^<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda found: f"{tag}{found[1]}>", svg)
    for color in COLORS:
        svg = svg.replace(color, f"var(--c-{color[1:]})")
    return svg.replace(INK, "currentColor").replace(RULE, "var(--rule)").replace("#000000", "currentColor")
