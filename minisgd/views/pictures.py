"""The one style of all pictures, and how they are written: PNG for people, SVG for pages."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind eyes tell apart; a marker for each as well.
STYLES = {
    "python": ("#7f7f7f", "v"),
    "numpy": ("#0072b2", "o"),
    "numba": ("#d55e00", "s"),
    "torch": ("#009e73", "^"),
}
OTHER = ("#cc79a7", "D")
CYCLE = [
    ("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#56b4e9", "v"), ("#e69f00", "P"), ("#7f7f7f", "X"),
    ("#000000", "*"), ("#882255", "<"),
]  # fmt: skip
"""For series that are no backends."""

mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "minisgd", "font.size": 10, "axes.grid": True})
mpl.rcParams.update({"grid.color": "#dddddd", "axes.axisbelow": True, "axes.spines.top": False})
mpl.rcParams.update({"axes.spines.right": False, "legend.frameon": False})


def save(figure: Figure, prefix: Path) -> list[Path]:
    """Write prefix.png and prefix.svg; the same records give the same bytes."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    paths = [prefix.with_name(prefix.name + suffix) for suffix in (".svg", ".png")]
    figure.savefig(paths[0], metadata={"Date": None})
    figure.savefig(paths[1], dpi=150, metadata={"Software": None})
    return paths
