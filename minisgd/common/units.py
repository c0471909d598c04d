"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minisgd.common.plain import LAYOUT, printable


def seconds(value: float) -> str:
    """Three digits and a unit.

    Examples
    --------
    >>> seconds(0.0123), seconds(4.5e-7)
    ('12.3 ms', '450 ns')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value / 1e-9)} ns"


def duration(value: float) -> str:
    """A tick of an axis of time: as many digits as it has, and the unit.

    Examples
    --------
    >>> duration(0.02), duration(1e-6)
    ('20 ms', '1 us')
    """
    unit, name = next((each for each in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")) if value >= 0.99 * each[0]), (1e-9, "ns"))
    return f"{value / unit:.3g} {name}"


def size(value: int) -> str:
    """Bytes in powers of 1,024.

    Examples
    --------
    >>> size(49152), size(25 << 30)
    ('48 KiB', '25 GiB')
    """
    for unit, one in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= one:
            return f"{value / one:.4g} {unit}"
    return f"{value} B"


def percent(value: float) -> str:
    """At most two digits; "< 0.1" below that.

    Examples
    --------
    >>> percent(98.7), percent(1.234), percent(0.0123)
    ('99', '1.2', '< 0.1')
    """
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.1 or value == 0 else "< 0.1"


def digits(value: float) -> str:
    """Three significant digits, never an exponent.

    Examples
    --------
    >>> digits(1234.5), digits(12.345), digits(0.012345), digits(999.6)
    ('1,230', '12.3', '0.0123', '1,000')
    """
    if value == 0:
        return "0"
    if abs(value) >= 999.5:  # what three digits write as 1,000
        return f"{float(f'{value:.3g}'):,.0f}"
    text = f"{value:#.3g}".rstrip(".")
    return f"{value:.3g}" if "e" in text and abs(value) >= 1e-4 else f"{value:.1e}" if "e" in text else text


def within(measured: Sequence[float], form: Callable[[float], str] = digits) -> str:
    """A median and its interval, from (median, low, high).

    Examples
    --------
    >>> within((1.25, 1.2, 1.3)), within((0.0123, 0.012, 0.013), seconds)
    ('1.25 [1.20, 1.30]', '12.3 ms [12.0 ms, 13.0 ms]')
    """
    middle, low, high = map(form, measured)
    return f"{middle} [{low}, {high}]"


def shorten(text: str, most: int = 60) -> str:
    """A name, cut to fit a picture.

    Examples
    --------
    >>> shorten("a" * 100, 5)
    'aaaa…'
    """
    text = printable(text, keep=LAYOUT)
    return text if len(text) <= most else text[: most - 1] + "…"
