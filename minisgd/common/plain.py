"""Text from elsewhere, made safe to print: names, reasons and paths can hold characters that move a cursor or end a line."""

from __future__ import annotations

LAYOUT = "\n\t"
"""Characters that lay out a text of several lines."""


def printable(text: str, instead: str = "?", keep: str = "") -> str:
    r"""Replace characters that are not printable: line breaks, control and format characters, lone surrogates.

    Examples
    --------
    >>> printable("a\x1b[31m\nb"), printable("a\x1b[31m\nb", keep=LAYOUT)
    ('a?[31m?b', 'a?[31m\nb')
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else instead for each in text)
