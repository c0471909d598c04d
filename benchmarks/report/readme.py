"""The tables in the README and the docs, between markers that name the records they come from."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from math import exp, log
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.harness.names import parse_title
from benchmarks.harness.records import Run, save
from benchmarks.views import pictures, tables
from benchmarks.views.comparison import BEST, ratio_cells
from minisgd.common import pictures as files
from minisgd.common.cli import UsageError
from minisgd.common.files import write
from minisgd.common.tables.description import Cell, Column, Table, interval, words
from minisgd.common.tables.to_markdown import to_markdown

RUN, PICTURE = "docs/ladder.json", "docs/ladder"
NOTES = "docs/performance.md"
NO_LOSS = 0.97


def between(marker: str) -> re.Pattern[str]:
    """What stands from a marker to its end, both included."""
    return re.compile(rf"<!-- {marker}:.*?-->.*?<!-- end of {marker} -->", re.DOTALL)


def put(made: str, marker: str, text: str) -> str:
    """A text with what was made, markers included, where those markers are."""
    return between(marker).sub(lambda _: made, text)


def ladder(run: Run) -> str:
    """What stands between the markers: the picture and the table of a run's products."""
    shown = tables.results(run)
    lines = [
        f"<!-- ladder: {RUN}, commit {(run.commit or 'unknown')[:12]} -->",
        f"![GFLOPS by rung and backend, on {run.machine.cpu}]({PICTURE}.svg)",
        "",
        f"{shown.title}; {run.machine.cpu}, {run.created:%Y-%m-%d}:",
        "",
        to_markdown(shown),
        "<!-- end of ladder -->",
    ]
    return "\n".join(lines)


def comparison(compared: Sequence[dict[str, Any]]) -> str:
    """What ``compare --json`` wrote, and the geometric means.

    Raises
    ------
    UsageError
        If a case has no interval, or no peer was the bar.
    """
    if any(each["low"] is None for each in compared):
        raise UsageError("a comparison without intervals: measure it again, in six blocks, and not --as-is")
    sides = list(compared[0]["gflops"])
    groups: dict[str, list[float]] = defaultdict(list)
    for each in compared:
        groups[f"with x{parse_title(each['case']).threads}"].append(each["ratio"])
        groups["of all"].append(each["ratio"])
    means = [
        f"{exp(mean(map(log, some))):.3f} {meaning}, {sum(each >= NO_LOSS for each in some)} of {len(some)} at {NO_LOSS} or more"
        for meaning, some in sorted(groups.items(), key=lambda group: len(group[1]))
    ]
    made = Table([words("case"), *(Column(side, "GFLOPS") for side in sides), tables.PEAK, *BEST])
    for each in compared:
        made.add(
            parse_title(each["case"]).conditions, *(each["gflops"][side] for side in sides), each["percent_of_peak"] or 0.0,
            each["best"], *ratio_cells(each["ratio"], each["low"], each["high"]),
        )  # fmt: skip
    lines = [
        f"Times as fast as the best peer, by geometric mean: {'; '.join(means)}.",
        "",
        to_markdown(made),
        "",
        *(f"- {side}: {label}" for side, label in compared[0]["libraries"].items()),
    ]
    return "\n".join(lines)


def inside(measured: Sequence[dict[str, Any]]) -> str:
    """What ``inside --json`` wrote."""
    dtypes = list(dict.fromkeys(each["dtype"] for each in measured))
    found = {(each["stage"], each["dtype"]): each for each in measured}
    columns = [words(f"stage, at {measured[0]['size']}"), words("what it adds"), words("threads")]
    for dtype in dtypes:
        columns += [Column(dtype, "GFLOPS"), Column("quartiles", "GFLOPS"), tables.PEAK]
    made = Table(columns)
    for stage in dict.fromkeys(each["stage"] for each in measured):
        of = [found[stage, dtype] for dtype in dtypes]
        cells = ((each["gflops"], interval(each["low"], each["high"]), each["percent_of_peak"]) for each in of)
        made.add(stage, of[0]["adds"], of[0]["threads"], *chain(*cells))
    return to_markdown(made)


def profile(measured: Sequence[dict[str, Any]]) -> str:
    """What ``profile --json`` wrote."""
    columns = list(dict.fromkeys((each["size"], each["dtype"]) for each in measured))
    made = Table([words("part"), *(Column(", ".join(each), "%") for each in columns), words("what it is")])
    for part, means in dict.fromkeys((each["part"], each["means"]) for each in measured):
        shares = [each["percent"] for each in measured if each["part"] == part]
        made.add(part, *(Cell(share, f"{share:.1f}") for share in shares), means)
    return to_markdown(made)


MADE = {
    "comparison": ("docs/compare.json", comparison),
    "inside": ("docs/inside.json", inside),
    "profile": ("docs/profile.json", profile),
}
"""Of each marker in the notes: the file, and what makes the text from it."""


def refreshed(notes: str, root: Path) -> str:
    """The notes with everything between markers made anew from the files that are there."""
    for marker, (file, make) in MADE.items():
        if (root / file).exists():
            kept = json.loads((root / file).read_text(encoding="utf-8"))
            made = f"<!-- {marker}: {file} -->\n{make(kept)}\n<!-- end of {marker} -->"
            notes = put(made, marker, notes)
    return notes


def update(run: Run, root: Path) -> list[Path]:
    """Put a run's ladder between the markers of README.md, and the run and its picture into docs; the files written.

    What stands between the markers of docs/performance.md is made anew as well.

    Raises
    ------
    UsageError
        If README.md has no markers.
    """
    page = root / "README.md"
    text = page.read_text(encoding="utf-8")
    if not between("ladder").search(text):
        raise UsageError(f"{page}: no markers; expected <!-- ladder: --> and <!-- end of ladder -->")
    save(run, root / RUN)
    drawn = files.save(pictures.ladder(run), root / PICTURE)
    write(page, put(ladder(run), "ladder", text))
    written = [page, root / RUN, *drawn]
    notes = root / NOTES
    if notes.exists():
        write(notes, refreshed(notes.read_text(encoding="utf-8"), root))
        written.append(notes)
    return written
