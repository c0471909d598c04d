"""The tables in the README and the docs, between markers that name the records they come from."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from benchmarks.frameworks import sentences
from benchmarks.frameworks.columns import Columns
from benchmarks.harness.names import parse_title
from benchmarks.harness.records import Run, save
from benchmarks.scaling import model
from benchmarks.views import frameworks as views
from benchmarks.views import kept, pictures, scaling_pictures, tables
from benchmarks.views import scaling as processes
from benchmarks.views.comparison import BEST, ratio_cells
from minisgd.common import pictures as files
from minisgd.common.cli import UsageError
from minisgd.common.files import write
from minisgd.common.plates import Plate
from minisgd.common.tables.description import Cell, Column, Table, interval, words
from minisgd.common.tables.to_markdown import to_markdown
from minisgd.common.tables.to_terminal import to_terminal
from minisgd.common.terminal import Screen

RUN, PICTURE = "docs/ladder.json", "docs/ladder"
NOTES, TABLES, PROCESSES = DOCUMENTS = "docs/performance.md", "docs/tables.md", "docs/distributed.md"
"""What is made again together with the README."""

NO_LOSS = 0.97
SHOWN = "numba"
"""The backend whose rows the README shows."""


def between(marker: str) -> re.Pattern[str]:
    """What stands from a marker to its end, both included."""
    return re.compile(rf"<!-- {marker}:.*?-->.*?<!-- end of {marker} -->", re.DOTALL)


def put(made: str, marker: str, text: str) -> str:
    """A text in which `made`, which includes the markers, replaces what stands from marker to marker."""
    return between(marker).sub(lambda _: made, text)


def ladder(run: Run) -> str:
    """The text of the README's ladder: the rows of one backend as a terminal shows them, and the picture."""
    some = run.model_copy(update={"records": [record for record in run.records if record.backend == SHOWN]})
    screen = Screen(width=120)
    with screen.capture() as text:
        screen.print(to_terminal(tables.results(some)))
    lines = [
        f"<!-- ladder: {RUN}, commit {(run.commit or 'unknown')[:12]} -->",
        "```",
        *(line.rstrip() for line in text.get().splitlines() if line.strip()),
        "```",
        "",
        f"![GFLOPS by rung and backend, on {run.machine.cpu}]({PICTURE}.svg)",
        "<!-- end of ladder -->",
    ]
    return "\n".join(lines)


def products(found: dict[str, Any]) -> str:
    """All products of the run that the README's ladder is from."""
    run = Run.model_validate_json(json.dumps(found))
    shown = tables.results(run)
    return f"{shown.title}; {run.machine.cpu}, {run.created:%Y-%m-%d}:\n\n{to_markdown(shown)}"


def summary(compared: Sequence[dict[str, Any]]) -> str:
    """The geometric mean of ``compare --json`` over its sizes, for each dtype and thread count."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for each in compared:
        title = parse_title(each["case"])
        groups[title.dtype, title.threads].append(each)
    headings = ("threads", "sizes", "x best peer", "least", "most")
    made = Table([words("dtype"), *map(Column, headings), Column("best % peak", "%")])
    for (dtype, threads), some in groups.items():
        ratios = [each["ratio"] for each in some]
        figures = (Cell(each, f"{each:.3f}") for each in (geometric_mean(ratios), min(ratios), max(ratios)))
        made.add(dtype, threads, len(some), *figures, max(each["percent_of_peak"] or 0.0 for each in some))
    return to_markdown(made)


def comparison(compared: Sequence[dict[str, Any]]) -> str:
    """What ``compare --json`` wrote, and the geometric means.

    Raises
    ------
    UsageError
        If a case has no interval.
    """
    if any(each["low"] is None for each in compared):
        raise UsageError("a comparison without intervals: measure it again, in six blocks, and not --as-is")
    sides = list(compared[0]["gflops"])
    groups: dict[str, list[float]] = defaultdict(list)
    for each in compared:
        groups[f"with x{parse_title(each['case']).threads}"].append(each["ratio"])
        groups["of all"].append(each["ratio"])
    means = [
        f"{geometric_mean(some):.3f} {meaning}, {sum(each >= NO_LOSS for each in some)} of {len(some)} at {NO_LOSS} or more"
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


def frameworks(found: dict[str, Any]) -> str:
    """What ``frameworks --json`` wrote."""
    columns = Columns.model_validate(found)
    made = [views.products(columns), views.training(columns), views.paces(columns.paces), views.environments(columns)]
    titled = (f"{table.title}:\n\n{to_markdown(table)}\n" for table in made)
    return "\n".join([*titled, *(f"- {each}" for each in sentences.said(columns))])


def scaling(found: dict[str, Any]) -> str:
    """What ``scale --json`` wrote; without the model, if the machine had no two cores to give."""
    run = Run.model_validate_json(json.dumps(found["run"]))
    fitted = model.fit(run)
    said = [f"- {each}" for each in (*processes.sentences(run), *processes.reasons(fitted, run))]
    made = [processes.strong(run), processes.weak(run), *processes.modelled(fitted)]
    titled = (f"\n{table.title}:\n\n{to_markdown(table)}" for table in made)
    return "\n".join([f"{run.machine.cpu}, {run.created:%Y-%m-%d}:\n", *said, *titled])


def processes_drawn(found: dict[str, Any]) -> Plate:
    """The batch from which ranks pay; without a model of that, what they were measured to bring."""
    run = Run.model_validate_json(json.dumps(found["run"]))
    fitted = model.fit(run)
    return scaling_pictures.paying(fitted) if fitted else scaling_pictures.measured(run)


MADE: dict[str, tuple[str, Callable[[Any], str]]] = {
    "products": (RUN, products),
    "summary": ("docs/compare.json", summary),
    "comparison": ("docs/compare.json", comparison),
    "inside": ("docs/inside.json", inside),
    "profile": ("docs/profile.json", profile),
    "frameworks": ("docs/frameworks.json", frameworks),
    "scaling": ("docs/scaling.json", scaling),
}
"""Of each marker in the documents: the file, and what makes the text from it."""

DRAWN: dict[str, Callable[[Any], Plate]] = {
    "docs/compare": kept.comparison,
    "docs/inside": kept.inside,
    "docs/profile": kept.profile,
    "docs/scaling": processes_drawn,
}
"""The documents' pictures, each from the JSON beside it."""


def refreshed(text: str, root: Path) -> str:
    """A document with the text between markers made again from the files that exist."""
    for marker, (file, make) in MADE.items():
        if (root / file).exists():
            made = f"<!-- {marker}: {file} -->\n{make(_read(root / file))}\n<!-- end of {marker} -->"
            text = put(made, marker, text)
    return text


def drawings(root: Path) -> dict[Path, str]:
    """The documents' pictures as SVG, by their paths, from the files that are there."""
    return {
        root / f"{prefix}.svg": files.svg(draw(_read(root / f"{prefix}.json")).figure())
        for prefix, draw in DRAWN.items()
        if (root / f"{prefix}.json").exists()
    }


def update(run: Run, root: Path) -> list[Path]:
    """Put a run's ladder between the markers of README.md, and the run and its picture into docs; the files written.

    The text between the markers of `DOCUMENTS` and their pictures are made again as well.

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
    for document in (root / name for name in DOCUMENTS):
        if document.exists():
            made[document] = refreshed(document.read_text(encoding="utf-8"), root)
    for path, content in made.items():
        write(path, content)
    return written + list(made)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
