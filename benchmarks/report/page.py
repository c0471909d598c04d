"""The page: all sections in one file, which loads nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any

import matplotlib as mpl
from jinja2 import Environment, PackageLoader

from benchmarks.report.findings import findings, machines
from benchmarks.report.samples import embedded
from benchmarks.report.section import STYLE
from benchmarks.report.sections import all_of
from benchmarks.report.sources import Sources
from benchmarks.report.story import QUESTIONS
from benchmarks.views.machine import file_name
from minisgd.common.cli import UsageError
from minisgd.common.files import as_json, write
from minisgd.common.tables.to_html import to_html

PAGE = "index.html"


def render(sources: Sources) -> str:
    """The page's text; the same records give the same bytes."""
    environment = Environment(
        loader=PackageLoader("benchmarks.report", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["html"] = to_html
    with mpl.rc_context(STYLE):
        made = all_of(sources)
    return environment.get_template("page.html.j2").render(
        sections=made,
        machines=machines(sources),
        findings=findings(sources),
        questions=[(question, name) for name, asked in QUESTIONS.items() for question in asked],
        samples=embedded(sources),
        failed=sum(bool(record.failure) for _, run in sources.runs for record in run.records),
        command_line=sources.command,
    )


def names(files: Sequence[Path], folder: Path) -> dict[Path, str]:
    """The name that each file gets beside the page. All are different; a file that already is there keeps its name.

    Raises
    ------
    UsageError
        If a file would be replaced by the page.
    """
    there = folder.resolve()
    found = {path: path.name for path in files if path.resolve().parent == there}
    for path, name in found.items():
        if name.lower() == PAGE:
            raise UsageError(f"{path}: the page would replace it; expected another --out")
    taken = {PAGE, *(name.lower() for name in found.values())}  # some file systems know no capitals
    for path in files:
        if path not in found:
            tries = (path.name if not number else f"{path.stem}-{number + 1}{path.suffix}" for number in count())
            found[path] = next(name for name in tries if name.lower() not in taken)
            taken.add(found[path].lower())
    return found


def save(sources: Sources, files: dict[Path, str], folder: Path) -> Path:
    """Write the page, and beside it the raw records without paths of this machine; return the page's path."""
    write(folder / PAGE, render(sources))
    for path, name in files.items():
        if path.resolve().parent != folder.resolve():
            write(folder / name, as_json(without_paths(json.loads(path.read_text(encoding="utf-8")))))
    return folder / PAGE


def without_paths(found: Any) -> Any:
    """The same JSON with each library's path cut to its file name, and numbers that JSON does not have as null."""
    if isinstance(found, dict):
        return {key: file_name(value) if key == "path" else without_paths(value) for key, value in found.items()}
    if isinstance(found, list):
        return [without_paths(each) for each in found]
    return None if isinstance(found, float) and not isfinite(found) else found
