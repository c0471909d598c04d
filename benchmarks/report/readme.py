"""The ladder in the README, between markers that name the run it is from."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.harness.records import Run, save
from benchmarks.harness.records import write as write_text
from benchmarks.report.section import grid
from benchmarks.views import pictures, tables
from minisgd.cli import UsageError
from minisgd.views import pictures as files

RUN, PICTURE = "docs/ladder.json", "docs/ladder"
MARKED = re.compile(r"<!-- ladder.*?-->.*?<!-- end of ladder -->", re.DOTALL)


def ladder(run: Run) -> str:
    """What stands between the markers: the picture and the table of a run's products."""
    shown = grid(tables.results(run))
    lines = [
        f"<!-- ladder: {RUN}, commit {(run.commit or 'unknown')[:12]} -->",
        f"![GFLOPS by rung and backend, on {run.machine.cpu}]({PICTURE}.svg)",
        "",
        f"{shown.caption}; {run.machine.cpu}, {run.created:%Y-%m-%d}:",
        "",
        f"| {' | '.join(shown.headings)} |",
        f"|---|{'---:|' * (len(shown.headings) - 1)}",
        *(f"| {' | '.join(row)} |" for row in shown.rows),
        "<!-- end of ladder -->",
    ]
    return "\n".join(lines)


def update(run: Run, root: Path) -> list[Path]:
    """Put a run's ladder between the markers of README.md, and the run and its picture into docs; the files written.

    Raises
    ------
    UsageError
        If README.md has no markers.
    """
    page = root / "README.md"
    text = page.read_text()
    if not MARKED.search(text):
        raise UsageError(f"{page}: no markers; expected <!-- ladder --> and <!-- end of ladder -->")
    save(run, root / RUN)
    drawn = files.save(pictures.ladder(run), root / PICTURE)
    write_text(page, MARKED.sub(lambda _: ladder(run), text))
    return [page, root / RUN, *drawn]
