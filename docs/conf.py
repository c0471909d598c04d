"""The documentation site, by Sphinx: these pages, and the reference from docstrings. No page loads anything from elsewhere.

On GitHub the same pages point to files beside them; here those that are no pages, such as code, are on the web.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
WEB = "https://github.com/minisgd/minisgd/blob/main/"
SHOWN = (".md", ".png", ".svg")

project = "minisgd"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["template"]
default_role = "literal"
highlight_language = "text"
myst_heading_anchors = 4
autodoc_typehints = "none"  # the docstrings say more
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = "minisgd"


def relink(text: str, folder: Path) -> str:
    """Point a text's links, which are relative to a folder, to the pages of this site, and to the web for what is no page."""

    def there(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(folder / found[1]))
        if path.is_relative_to(DOCS) and path.suffix in SHOWN:
            name = os.path.relpath(path, DOCS if folder == ROOT else folder)
        else:
            name = WEB + path.relative_to(ROOT).as_posix()
        return f"]({name}{found[2] or ''})"

    return re.sub(r"\]\((?![a-z]+:)([^)#\s]+)(#[^)\s]*)?\)", there, text)


def setup(app: Any) -> None:
    """Change texts as they are read: links, the first page, and what reStructuredText would take for a substitution."""

    def read(app: Any, name: str, content: list[str]) -> None:
        content[0] = relink(content[0], (DOCS / name).parent)
        if name == "index":
            readme = re.sub(r"^\[!\[.*\n", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)  # badges
            content[0] = f"{relink(readme, ROOT)}\n{content[0]}"

    def plain(app: Any, kind: str, name: str, thing: object, options: object, lines: list[str]) -> None:
        lines[:] = [line if ">>>" in line else line.replace("|", "\\|") for line in lines]  # |A||B| is a product of magnitudes

    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", plain)
