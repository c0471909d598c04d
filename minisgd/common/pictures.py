"""The style of all pictures, and how they are written: as PNG and as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatterSciNotation

from minisgd.common.cli import UsageError
from minisgd.common.files import write
from minisgd.common.plain import LAYOUT, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette, which colour-blind eyes tell apart; a marker for each as well.
STYLES = {
    "python": ("#7f7f7f", "v"),
    "numpy": ("#0072b2", "o"),
    "numba": ("#d55e00", "s"),
    "torch": ("#009e73", "^"),
    "openblas": ("#56b4e9", "v"),
    "mkl": ("#e69f00", "P"),
    "aocl": ("#882255", "<"),
    "numba-cuda": ("#d55e00", "s"),
    "triton": ("#cc79a7", "D"),
    "mxnet": ("#e69f00", "P"),
    "tensorflow": ("#56b4e9", "v"),
    "jax": ("#882255", "<"),
}
OTHER = ("#cc79a7", "D")
CYCLE = [
    ("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#56b4e9", "v"), ("#e69f00", "P"), ("#7f7f7f", "X"),
    ("#000000", "*"), ("#882255", "<"),
]  # fmt: skip
"""Colours and markers of series that are not backends."""

mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "minisgd", "font.size": 10, "axes.grid": True})
mpl.rcParams.update({"grid.color": "#dddddd", "axes.axisbelow": True, "axes.spines.top": False})
mpl.rcParams.update({"axes.spines.right": False, "legend.frameon": False})
mpl.rcParams["text.parse_math"] = False  # a name with dollars in it is a name
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


TIP, SERIES = "tip:", "series:"


def series(name: str) -> str:
    """The gid of all that belongs to a series, by which a page shows it apart from others."""
    return SERIES + printable(name, keep=LAYOUT)


def tip(axes: Axes, x: Iterable[Any], y: Iterable[float], texts: Sequence[str]) -> None:
    """Show a text where the pointer rests on a point, in SVG."""
    for one, other, text in zip(x, y, texts, strict=True):
        (seen,) = axes.plot([one], [other], "o", markersize=11, alpha=0, gid=TIP + printable(text, keep=LAYOUT))
        seen.set_in_layout(False)  # it needs no room, and measuring hundreds takes time


class Powers(LogFormatterSciNotation):
    """Labels of a logarithmic axis as plain text, where matplotlib's own are TeX."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick."""
        said = re.sub(r"\$\\mathdefault\{(.*)\}\$", r"\1", super().__call__(x, pos)).replace(r"\times", "×")
        return re.sub(r"\^\{(.*?)\}", lambda found: found[1].translate(SUPERSCRIPTS), said)


def as_text(figure: Figure) -> Figure:
    """The same figure with plain texts: no TeX, and no control characters."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            base = getattr(axis.get_transform(), "base", 10.0)
            if type(axis.get_major_formatter()) is LogFormatterSciNotation:
                axis.set_major_formatter(Powers(base))
            if type(axis.get_minor_formatter()) is LogFormatterSciNotation:
                axis.set_minor_formatter(Powers(base, labelOnlyBase=False))
    for text in figure.findobj(Text):
        text.set_text(printable(text.get_text(), keep=LAYOUT))
    return figure


def svg(figure: Figure) -> str:
    """A figure as SVG, with no date: the same records give the same bytes."""
    made = io.StringIO()
    as_text(figure)
    metadata = {"Date": None, "Creator": None}
    FigureCanvasSVG(figure).print_svg(made, metadata=metadata)  # type: ignore[no-untyped-call] # savefig would draw twice
    told = re.sub(rf'<g id="{TIP}([^"]*)">', r'<g class="tip"><title>\1</title>', made.getvalue())
    return re.sub(rf'<g id="{SERIES}([^"]*)">', r'<g class="series" data-series="\1">', told)


def save(figure: Figure, prefix: Path) -> list[Path]:
    """Write prefix.svg and prefix.png; the same records give the same bytes.

    Raises
    ------
    UsageError
        If the prefix names no file, or a file cannot be written.
    """
    _require_name(prefix)
    paths = [prefix.with_name(prefix.name + suffix) for suffix in (".svg", ".png")]
    for path in paths:
        save_as(figure, path)
    return paths


def save_as(figure: Figure, path: Path) -> None:
    """Write a picture in the format that its suffix names; PNG without one.

    Raises
    ------
    UsageError
        If the path names no file, matplotlib knows no such format, or the file cannot be written.
    """
    _require_name(path)
    try:
        write(path, svg(figure) if path.suffix == ".svg" else _drawn(figure, path.suffix[1:] or "png"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--plot {path}: {getattr(error, 'strerror', None) or error}") from None


def _drawn(figure: Figure, form: str) -> bytes:
    made = io.BytesIO()
    as_text(figure).savefig(made, format=form, dpi=150, metadata={"Software": None} if form == "png" else None)
    return made.getvalue()


def _require_name(path: Path) -> None:
    if not path.name:
        raise UsageError("--plot: expected the name of a file, got an empty one")
