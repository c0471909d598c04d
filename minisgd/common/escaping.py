"""Text from elsewhere in Markdown, CSV and shell: one function for each format, used for every name and reason."""

from __future__ import annotations

import re
from typing import Any

from minisgd.common.plain import printable

INLINE = re.compile(r"[\\`*_\[\]<>&|~$]")
"""Characters that are markup anywhere in Markdown."""

MEANT = re.compile(rf"{INLINE.pattern}|^[-+=#]|(?<=^\d)[.)]")
"""The same with those that are markup at the beginning of a line, such as the dot of a list that begins with 1."""

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
    r"""A name as code in Markdown, also in a table's cell; as prose if it has characters that code cannot escape.

    Examples
    --------
    >>> code("numba/full"), code("a`b")
    ('`numba/full`', 'a\\`b')
    """
    plain = printable(text).strip()
    return prose(text) if not plain or set(plain) & set("`|\\") else f"`{plain}`"


def cell(value: Any) -> Any:
    """A value for a CSV file. Text that a spreadsheet would run as a formula is quoted; a number stays a number.

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
    """A pattern that matches a title, quoted for a shell.

    Examples
    --------
    >>> glob("numba/full-64"), glob("it's [1]")
    ("'numba/full-64'", "'it?s [[]1]'")
    """
    return "'" + printable(re.sub(r"[*?[]", r"[\g<0>]", title)).replace("'", "?") + "'"
