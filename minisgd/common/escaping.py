"""Text from elsewhere inside of other formats: one function for each, used wherever a name or a reason goes into it."""

from __future__ import annotations

import re
from typing import Any

from minisgd.common.plain import printable

INLINE = re.compile(r"[\\`*_\[\]<>&|~$]")
"""What Markdown takes for a mark anywhere."""

MEANT = re.compile(rf"{INLINE.pattern}|^[-+=#]|(?<=^\d)[.)]")
"""What it takes for a mark in a line, the beginning included, such as the dot of a list that begins with 1."""

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def prose(text: str) -> str:
    r"""Text that Markdown shows as it is, as a paragraph.

    Examples
    --------
    >>> print(prose("a|b <i> & `c`"))
    a\|b \<i\> \& \`c\`

    Source: CommonMark 0.31, sections 2.4 and 5.2; GitHub Flavored Markdown, section 4.10.
    """
    return MEANT.sub(r"\\\g<0>", printable(text).strip())


def inline(text: str) -> str:
    r"""Text that Markdown shows as it is inside of a line, such as in a table's cell.

    Examples
    --------
    >>> print(inline("+ a|b"))
    + a\|b
    """
    return INLINE.sub(r"\\\g<0>", printable(text).strip())


def code(text: str) -> str:
    r"""A name in Markdown's type for code, in a table's cell as well; as prose if it holds what cannot be escaped in code.

    Examples
    --------
    >>> code("numba/full"), code("a`b")
    ('`numba/full`', 'a\\`b')
    """
    plain = printable(text).strip()
    return prose(text) if not plain or set(plain) & set("`|\\") else f"`{plain}`"


def cell(value: Any) -> Any:
    """A value of a CSV file, none that a spreadsheet would take for a formula; a number is left a number.

    Examples
    --------
    >>> cell("=1+1"), cell("numba/full"), cell(-1.5)
    ("'=1+1", 'numba/full', -1.5)

    Source: OWASP, "CSV Injection".
    """
    if not isinstance(value, str):
        return value
    plain = printable(value, instead=" ")
    return f"'{plain}" if plain.lstrip().startswith(FORMULA) else plain


def glob(title: str) -> str:
    """A title as a pattern that matches it, in a shell's quotes.

    Examples
    --------
    >>> glob("numba/full-64"), glob("it's [1]")
    ("'numba/full-64'", "'it?s [[]1]'")
    """
    return "'" + printable(re.sub(r"[*?[]", r"[\g<0>]", title)).replace("'", "?") + "'"
