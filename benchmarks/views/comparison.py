"""A kernel beside its peers, as a table and in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.gate.comparison import Compared, held_back, mean
from benchmarks.gate.estimate import FEWEST
from benchmarks.gate.paired import Block
from minisgd.common.tables.description import Cell, Column, Style, Table, interval, words

STYLES: dict[str, Style] = {"faster": "good", "slower": "bad", "undecided": ""}
BEST = [
    words("best peer"), Column("x best peer", help="seconds of the best peer over those of the kernel"),
    Column("interval", help="of this ratio, over the blocks"),
]  # fmt: skip


def table_of(compared: Sequence[Compared], kernel: str) -> Table:
    """A row a case."""
    sides = list(compared[0].gflops) if compared else [kernel]
    shown = [f"{side} (held back)" if compared and held_back(side, compared[0].libraries) else side for side in sides]
    rates = [Column(side, "GFLOPS") for side in shown]
    columns = [words("size"), words("dtype"), Column("threads"), *rates, Column("% peak", "%"), *BEST]
    made = Table(columns, "GFLOPS, alternated in lock-step")
    for each in compared:
        case, ahead = each.case, each.ahead
        made.add(
            case.size if case.layout == "nn" else f"{case.size} {case.layout}", case.dtype, case.threads,
            *(each.gflops[side] for side in sides), each.percent_of_peak, each.best,
            *(ratio_cells(ahead.ratio, ahead.low, ahead.high, STYLES[ahead.verdict]) if ahead else ()),
        )  # fmt: skip
    return made


def ratio_cells(ratio: float, low: float | None, high: float | None, style: Style = "") -> list[Cell]:
    """A ratio and its interval, each with three decimals."""
    spread = Cell(None) if low is None or high is None else interval(low, high, "{:.3f}".format)
    return [Cell(ratio, f"{ratio:.3f}", style), spread]


def sentences(compared: Sequence[Compared], kernel: str, blocks: Sequence[Block]) -> list[str]:
    """What failed, the code path of each side's library, the geometric mean with its interval, and the worst case."""
    said = [f"{case.title}: failed: {why}" for case, why in {c: w for block in blocks for c, w in block.failures.items()}.items()]
    said += [f"{side}: {blas.label}." for each in compared[:1] for side, blas in each.libraries.items()]
    measured = [each for each in compared if each.ahead]
    if compared and not measured:
        said.append("Every peer is held back: there is none to compare with.")
    if not measured:
        return said
    verdicts = [each.ahead.verdict for each in measured if each.ahead]
    counts = ", ".join(f"{verdict} in {verdicts.count(verdict)}" for verdict in STYLES)
    said.append(
        f"Over {len(measured)} cases {kernel} is {mean(compared, kernel, blocks)} times as fast as the best peer, by geometric"
        f" mean: {counts}."
    )
    if len(blocks) < FEWEST:
        said.append(f"An interval takes {FEWEST} blocks, and there are {len(blocks)}: nothing is decided.")
    worst = min(measured, key=lambda each: each.ahead.ratio if each.ahead else 0)
    said.append(f"Worst: {worst.case.title}, {worst.ahead}; the fastest peer there is {worst.best}.")
    return said
