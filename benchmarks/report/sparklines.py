"""A tracked case in a small line: its values over the commits, and how far the last is from the first."""

from __future__ import annotations

from markupsafe import Markup

from benchmarks.trackers.history import Series
from minisgd.common.units import digits, seconds, size

WIDTH, HEIGHT, MOST = 120, 28, 60
"""Pixels, and the most points of a line: of more, every other, third, ... is drawn."""


def sparkline(each: Series) -> tuple[str, Markup, str]:
    """The case and its metric; the line as SVG; and the last value, over the first one."""
    values = each.values
    shown = values[:: -(-len(values) // MOST)] if values else []
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    reach = (high - low) or 1.0
    points = [
        (place * (WIDTH - 4) / max(1, len(shown) - 1) + 2, HEIGHT - 3 - (HEIGHT - 6) * (value - low) / reach)
        for place, value in enumerate(shown)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">'
        f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    )
    if points:
        line += Markup(f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="2.5" fill="currentColor"/>')
    write = size_of if each.metric.endswith("bytes") else seconds
    last = f"{write(values[-1])}, {digits(values[-1] / values[0])} times the first" if values and values[0] else "no values"
    return f"{each.case.title}, {each.metric.split()[0]}", line + Markup("</svg>"), last


def size_of(value: float) -> str:
    """Bytes."""
    return size(int(value))
