"""The page: sections rendered into one file that asks for nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib as mpl
from jinja2 import Environment, PackageLoader

from benchmarks.report.section import STYLE
from benchmarks.report.sections import all_of
from benchmarks.report.sources import Sources
from minisgd.files import write

PAGE = "index.html"


def render(sources: Sources) -> str:
    """The page's text; the same records give the same bytes."""
    environment = Environment(
        loader=PackageLoader("benchmarks.report", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    with mpl.rc_context(STYLE):
        made = all_of(sources)
    machines = list(dict.fromkeys(run.machine.cpu for _, run in sources.runs))
    newest = max((run for _, run in sources.runs), key=lambda run: run.created, default=None)
    return environment.get_template("page.html.j2").render(
        sections=made, machines=machines, newest=newest, command=sources.command
    )


def save(sources: Sources, files: list[Path], folder: Path) -> Path:
    """Write the page and put the raw records beside it; its path."""
    write(folder / PAGE, render(sources))
    for path in files:
        if path.resolve().parent != folder.resolve():
            shutil.copy2(path, folder / path.name)
    return folder / PAGE
