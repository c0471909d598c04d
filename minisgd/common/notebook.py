"""What a notebook shows of a result: its pictures, sentences and tables in HTML, without a style sheet or a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from minisgd.common.pictures import svg
from minisgd.common.tables.description import Table
from minisgd.common.tables.to_html import to_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = Markup(
    "<style>.minisgd svg { max-width: 100%; height: auto; background: white } .minisgd .hidden { display: none }"
    " .minisgd button { all: unset; font-weight: bold } .minisgd .left { text-align: left }"
    " .minisgd .strong { font-weight: bold } .minisgd .faint { opacity: 0.7 }</style>"
)
"""Headings are buttons, which sort the rows of the page; a notebook has no script for them."""


def to_notebook(figures: Sequence[Figure] = (), sentences: Sequence[str] = (), tables: Sequence[Table] = ()) -> str:
    """Pictures, sentences and tables as one element.

    Examples
    --------
    >>> to_notebook(sentences=["1 < 2"]).removeprefix(STYLE)
    '<div class="minisgd"><p>1 &lt; 2</p></div>'
    """
    drawn = (Markup(text[text.index("<svg") :]) for text in map(svg, figures))
    said = (Markup("<p>") + escape(sentence) + Markup("</p>") for sentence in sentences)
    listed = (Markup("<p><b>") + escape(table.title) + Markup("</b></p>") + to_html(table) for table in tables)
    return str(Markup('{}<div class="minisgd">{}</div>').format(STYLE, Markup("").join([*drawn, *said, *listed])))
