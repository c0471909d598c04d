"""A gate's outcome: as a table while it runs and afterwards, as a comment on a pull request, and as a test report for CI."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from xml.etree import ElementTree

from benchmarks.gate.outcome import Outcome, Row
from benchmarks.gate.verdict import ALPHA, Verdict
from minisgd.common.escaping import glob, prose
from minisgd.common.plain import printable
from minisgd.common.tables.description import Cell, Column, Style, Table, words
from minisgd.common.tables.to_markdown import to_markdown

ORDER = [Verdict.FAILED, Verdict.SLOWER, Verdict.INCONCLUSIVE, Verdict.FASTER, Verdict.SAME]
"""Worst first."""

STYLES: dict[Verdict, Style] = {
    Verdict.FAILED: "bad",
    Verdict.SLOWER: "bad",
    Verdict.FASTER: "good",
    Verdict.INCONCLUSIVE: "unsure",
    Verdict.SAME: "",
}
MARKS = {Verdict.FAILED: "💥", Verdict.SLOWER: "🔴", Verdict.FASTER: "🟢", Verdict.INCONCLUSIVE: "🟡", Verdict.SAME: "⚪"}
MOST_ROWS = 60
"""The most rows in a comment: GitHub allows it 65,536 characters."""

COMMAND = "python -m benchmarks gate"


def sorted_rows(rows: Sequence[Row]) -> list[Row]:
    """Worst first."""
    return sorted(rows, key=lambda row: (ORDER.index(row.verdict), -(row.ratio or 0), row.case.title))


def table_of(rows: Sequence[Row], title: str = "head against base") -> Table:
    """A row a benchmark, worst first."""
    columns = [
        words("benchmark", code=True), Column("blocks", help="pairs of fresh processes"),
        Column("time", "%", help="change of head's time from base's"), Column("interval", help="of the change"), words("verdict"),
    ]  # fmt: skip
    made = Table(columns, title)
    for row in sorted_rows(rows):
        time = Cell(row.ratio and 100 * (row.ratio - 1), change(row.ratio))
        spread = Cell(row.low and 100 * (row.low - 1), interval(row))
        made.add(row.case.title, row.blocks, time, spread, Cell(verdict_of(row), style=STYLES[row.verdict]))
    return made


def verdict_of(row: Row) -> str:
    """A verdict, and why no clock was asked for it, if none was."""
    return f"{row.verdict} ({row.untimed})" if row.untimed else str(row.verdict)


def change(ratio: float | None) -> str:
    """A ratio of seconds as a change of time: 1.05 is +5.0 %.

    Examples
    --------
    >>> change(1.05), change(0.5), change(None)
    ('+5.0 %', '-50.0 %', '')
    """
    return "" if ratio is None else f"{100 * (ratio - 1):+.1f} %"


def interval(row: Row) -> str:
    """The bounds of the change; none before the first look."""
    return "" if row.low is None or row.high is None else f"{change(row.low)} to {change(row.high)}"


def sentences(outcome: Outcome) -> list[str]:
    """The counts of verdicts, what failed, what was left out, and what to do next."""
    counts = {verdict: sum(row.verdict is verdict for row in outcome.rows) for verdict in ORDER}
    said = []
    if outcome.rows:
        found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        said.append(
            f"{len(outcome.rows)} benchmarks in {outcome.seconds / 60:.1f} of {outcome.budget_s / 60:.3g} minutes, for changes of"
            f" {100 * outcome.min_effect:g} % and more: {found}."
        )
    else:
        said.append("Nothing was measured: no benchmark imports a file that differs. --all measures every benchmark.")
    if suite := outcome.suite:
        said.append(
            f"Over all benchmarks head's time differs by {change(suite.ratio)} [{change(suite.low)}, {change(suite.high)}], the"
            f" geometric mean over the first {suite.blocks} blocks."
        )
    if untimed := [row.case.title for row in sorted_rows(outcome.rows) if row.untimed]:
        said.append(
            f"Not timed, since both sides run the same machine code and the same Python around it: {', '.join(untimed)}."
            " --all times these too."
        )
    said += [f"{row.case.title}: {row.failure}" for row in sorted_rows(outcome.rows) if row.failure]
    said += [
        f"{each.kernel}: {each.figure} {'absent' if each.base is None else f'{each.base:g}'} ->"
        f" {'absent' if each.head is None else f'{each.head:g}'}"
        + (f", over its budget of {each.most:g}" if each.exceeds else "")
        for each in outcome.changes
    ]
    said += [f"Left out, {reason}: {', '.join(kernels)}." for reason, kernels in outcome.left_out.items()]
    if counts[Verdict.SLOWER]:
        worst = next(row for row in sorted_rows(outcome.rows) if row.verdict is Verdict.SLOWER)
        said.append(f"To measure the worst again: {reproduce(outcome, worst)}")
    if counts[Verdict.INCONCLUSIVE]:
        said.append("An inconclusive benchmark may or may not be slower: a larger --budget or a quieter machine can decide it.")
    return said


def reproduce(outcome: Outcome, row: Row) -> str:
    """The command for one benchmark."""
    head = "" if outcome.head == "working tree" else f" {outcome.head[:12]}"
    options = (("--repo", outcome.repo), ("--pytest", outcome.tests))
    where = "".join(f" {option} {shlex.quote(path)}" for option, path in options if path)
    return f"{COMMAND} {outcome.base[:12]}{head}{where} --only {glob(row.case.title)}"


def heading(outcome: Outcome) -> str:
    """The answer: what is bad in a word each, or that nothing is."""
    verdicts = {row.verdict for row in outcome.rows}
    bad = ["slower"] * (Verdict.SLOWER in verdicts) + ["failed"] * (Verdict.FAILED in verdicts)
    bad += ["over budget"] * any(change.exceeds for change in outcome.changes)
    good = {0: "No benchmark got slower", 3: "Inconclusive", 4: "Nothing measured"}
    return ", ".join(bad).capitalize() or good[outcome.status]


def markdown(outcome: Outcome, false_alarms: str) -> str:
    """A comment for a pull request: the answer, the benchmarks, how they were compared, and the gate's measured error rate."""
    parts = [f"## {heading(outcome)}", "", *(f"{prose(sentence)}  " for sentence in sentences(outcome)), ""]
    if outcome.rows:
        parts.append(to_markdown(_marked(sorted_rows(outcome.rows)[:MOST_ROWS])))
        if (more := len(outcome.rows) - MOST_ROWS) > 0:
            parts.append(f"\n{more} more, none of them worse, are in the JSON.")
    here = outcome.machine
    parts += [
        "",
        f"Head `{outcome.head[:12]}` against base `{outcome.base[:12]}`, in turns on {prose(here.cpu)} ({here.cores} cores),"
        f" Python {here.python}. Each interval misses the true ratio with a chance of at most {100 * ALPHA:g} %, whenever the"
        f" gate stops. Measured between equal sides: {false_alarms} (docs/gate.md).",
    ]
    return "\n".join(parts) + "\n"


def _marked(rows: Sequence[Row]) -> Table:
    """The table with a mark before each row, for readers who skim."""
    made = table_of(rows)
    made.columns.insert(0, words(""))
    for row, cells in zip(sorted_rows(rows), made.rows, strict=True):
        cells.insert(0, Cell(MARKS[row.verdict], MARKS[row.verdict]))
    return made


def junit(outcome: Outcome) -> str:
    """A test report in JUnit's format: slower is a failure, failed an error, inconclusive skipped."""
    counts = {verdict: sum(row.verdict is verdict for row in outcome.rows) for verdict in ORDER}
    suite = ElementTree.Element(
        "testsuite", name="gate", tests=str(len(outcome.rows)), failures=str(counts[Verdict.SLOWER]),
        errors=str(counts[Verdict.FAILED]), skipped=str(counts[Verdict.INCONCLUSIVE]), time=f"{outcome.seconds:.1f}",
    )  # fmt: skip
    kinds = {Verdict.SLOWER: "failure", Verdict.FAILED: "error", Verdict.INCONCLUSIVE: "skipped"}
    for row in sorted_rows(outcome.rows):
        test = ElementTree.SubElement(suite, "testcase", classname=printable(row.case.kernel), name=printable(row.case.title))
        if kind := kinds.get(row.verdict):
            text = row.failure or f"{change(row.ratio)} {interval(row)} after {row.blocks} blocks"
            ElementTree.SubElement(test, kind, message=printable(f"{row.verdict}: {text}")).text = reproduce(outcome, row)
        elif row.untimed:
            ElementTree.SubElement(test, "system-out").text = printable(f"not timed: {row.untimed}")
    report: bytes = ElementTree.tostring(suite, encoding="us-ascii", xml_declaration=True)  # right in any encoding of files
    return report.decode("ascii") + "\n"
