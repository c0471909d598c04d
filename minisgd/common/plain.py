"""Text from elsewhere, as it may be shown: names, reasons and paths can hold what moves a cursor or ends a line."""

from __future__ import annotations

LAYOUT = "\n\t"
"""What lays out a text of several lines."""


def printable(text: str, instead: str = "?", keep: str = "") -> str:
    r"""Put `instead` in the place of whatever is not printed: line breaks, control and format characters, halves of a surrogate.

    Examples
    --------
    >>> printable("a\x1b[31m\nb"), printable("a\x1b[31m\nb", keep=LAYOUT)
    ('a?[31m?b', 'a?[31m\nb')
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else instead for each in text)
