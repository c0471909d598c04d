"""Text from elsewhere, as it may be shown: names, reasons and paths can hold what moves a cursor or ends a line."""

from __future__ import annotations


def printable(text: str, instead: str = "?") -> str:
    r"""Put `instead` in the place of whatever is not printed: line breaks, control and format characters, halves of a surrogate.

    Examples
    --------
    >>> printable("a\x1b[31m\nb")
    'a?[31m?b'
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else instead for each in text)
