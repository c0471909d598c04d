"""The tables in the README and the docs, between markers that name the records they are from."""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from math import exp, log
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console

from benchmarks.harness.records import Run, save
from benchmarks.report.section import grid
from benchmarks.views import kept, pictures, tables
from minisgd.common import pictures as files
from minisgd.common.cli import UsageError
from minisgd.common.files import write
from minisgd.common.units import digits, percent

RUN, PICTURE = "docs/ladder.json", "docs/ladder"
NOTES, TABLES = "docs/performance.md", "docs/tables.md"
NO_LOSS = 0.97
SHOWN = "numba"
"""The backend whose rows the README shows."""


def between(marker: str) -> re.Pattern[str]:
    """What stands from a marker to its end, both included."""
    return re.compile(rf"<!-- {marker}:.*?-->.*?<!-- end of {marker} -->", re.DOTALL)


def put(made: str, marker: str, text: str) -> str:
    """A text with what was made, markers included, where those markers are."""
    return between(marker).sub(lambda _: made, text)


def ladder(run: Run) -> str:
    """What stands between the README's markers: the picture, and the rows of one backend as the terminal has them."""
    some = run.model_copy(update={"records": [record for record in run.records if record.backend == SHOWN]})
    screen = Console(file=io.StringIO(), width=120, color_system=None)
    screen.print(tables.results(some))
    lines = [
        f"<!-- ladder: {RUN}, commit {(run.commit or 'unknown')[:12]} -->",
        "```",
        *(line.rstrip() for line in screen.file.getvalue().splitlines() if line.strip()),  # type: ignore[attr-defined]
        "```",
        "",
        f"![GFLOPS by rung and backend, on {run.machine.cpu}]({PICTURE}.svg)",
        "<!-- end of ladder -->",
    ]
    return "\n".join(lines)


def products(kept: dict[str, Any]) -> str:
    """All products of the run that the README's ladder is from."""
    run = Run.model_validate_json(json.dumps(kept))
    shown = grid(tables.results(run))
    lines = [
        f"{shown.caption}; {run.machine.cpu}, {run.created:%Y-%m-%d}:",
        "",
        f"| {' | '.join(shown.headings)} |",
        f"|---|{'---:|' * (len(shown.headings) - 1)}",
        *(f"| {' | '.join(row)} |" for row in shown.rows),
    ]
    return "\n".join(lines)


def summary(compared: Sequence[dict[str, Any]]) -> str:
    """The geometric mean of ``compare --json`` over its sizes, for each dtype and thread count."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for each in compared:
        dtype, threads = re.findall(r"-(float\d+)-x(\d+)", each["case"])[-1]
        groups[dtype, threads].append(each)
    lines = [
        "| dtype | threads | sizes | x best peer | least | most | best % peak |",
        f"|---|{'---:|' * 6}",
    ]
    for (dtype, threads), some in groups.items():
        ratios = [each["ratio"] for each in some]
        lines.append(
            f"| {dtype} | {threads} | {len(some)} | {exp(mean(map(log, ratios))):.3f} | {min(ratios):.3f} | {max(ratios):.3f} |"
            f" {max(each['percent_of_peak'] or 0 for each in some):.0f} |"
        )
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
        groups[f"with x{each['case'].rpartition('-x')[2]}"].append(each["ratio"])
        groups["of all"].append(each["ratio"])
    means = [
        f"{exp(mean(map(log, some))):.3f} {meaning}, {sum(each >= NO_LOSS for each in some)} of {len(some)} at {NO_LOSS} or more"
        for meaning, some in sorted(groups.items(), key=lambda group: len(group[1]))
    ]
    libraries = compared[0]["libraries"]
    lines = [
        f"Times as fast as the best peer, by geometric mean: {'; '.join(means)}.",
        "",
        f"| case | {' | '.join(sides)} | % peak | best peer | x best peer | interval |",
        f"|---|{'---:|' * (len(sides) + 1)}---|---:|---:|",
        *(
            f"| {each['case'].removeprefix(sides[0])[1:]} | {' | '.join(digits(each['gflops'][side]) for side in sides)} |"
            f" {each['percent_of_peak'] or 0:.0f} | {each['best']} | {each['ratio']:.3f} |"
            f" {each['low']:.3f}-{each['high']:.3f} |"
            for each in compared
        ),
        "",
        *(f"- {side}: {label}" for side, label in libraries.items()),
    ]
    return "\n".join(lines)


def inside(measured: Sequence[dict[str, Any]]) -> str:
    """What ``inside --json`` wrote."""
    dtypes = list(dict.fromkeys(each["dtype"] for each in measured))
    found = {(each["stage"], each["dtype"]): each for each in measured}
    headings = " | ".join(f"{dtype} | quartiles | % peak" for dtype in dtypes)
    lines = [
        f"| stage, at {measured[0]['size']} | what it adds | threads | {headings} |",
        f"|---|---|---|{'---:|' * 3 * len(dtypes)}",
    ]
    for stage in dict.fromkeys(each["stage"] for each in measured):
        of = [found[stage, dtype] for dtype in dtypes]
        cells = [
            f"{digits(each['gflops'])} | {digits(each['low'])}-{digits(each['high'])} | {percent(each['percent_of_peak'])}"
            for each in of
        ]
        lines.append(f"| {stage} | {of[0]['adds']} | {of[0]['threads']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def profile(measured: Sequence[dict[str, Any]]) -> str:
    """What ``profile --json`` wrote."""
    columns = list(dict.fromkeys((each["size"], each["dtype"]) for each in measured))
    lines = [f"| part | {' | '.join(map(', '.join, columns))} | what it is |", f"|---|{'---:|' * len(columns)}---|"]
    for part, means in dict.fromkeys((each["part"], each["means"]) for each in measured):
        found = (each["percent"] for each in measured if each["part"] == part)
        lines.append(f"| {part} | {' | '.join(f'{share:.1f}' for share in found)} | {means} |")
    return "\n".join(lines)


MADE: dict[str, tuple[str, Callable[[Any], str]]] = {
    "products": (RUN, products),
    "summary": ("docs/compare.json", summary),
    "comparison": ("docs/compare.json", comparison),
    "inside": ("docs/inside.json", inside),
    "profile": ("docs/profile.json", profile),
}
"""Between which markers of the documents stands what, and from which file."""

DRAWN = {"docs/compare": kept.comparison, "docs/inside": kept.inside, "docs/profile": kept.profile}
"""The pictures of the notes, each from the JSON beside it."""


def refreshed(text: str, root: Path) -> str:
    """A document with everything between markers made anew from the files that are there."""
    for marker, (file, make) in MADE.items():
        if (root / file).exists():
            made = f"<!-- {marker}: {file} -->\n{make(_read(root / file))}\n<!-- end of {marker} -->"
            text = put(made, marker, text)
    return text


def drawings(root: Path) -> dict[Path, str]:
    """The notes' pictures as SVG, by their paths, from the files that are there."""
    return {
        root / f"{prefix}.svg": files.svg(draw(_read(root / f"{prefix}.json")))
        for prefix, draw in DRAWN.items()
        if (root / f"{prefix}.json").exists()
    }


def update(run: Run, root: Path) -> list[Path]:
    """Put a run's ladder between the markers of README.md, and the run and its picture into docs; the files written.

    What stands between the markers of docs/performance.md and docs/tables.md, and their pictures, is made anew as well.

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
    made = drawings(root)
    for notes in (root / NOTES, root / TABLES):
        if notes.exists():
            made[notes] = refreshed(notes.read_text(encoding="utf-8"), root)
    for path, content in made.items():
        write(path, content)
    return written + list(made)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
