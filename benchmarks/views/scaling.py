"""Scaling as tables and sentences: several ranks against one process."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf
from statistics import median

from benchmarks.harness.records import Record, Run
from benchmarks.scaling import compared
from benchmarks.scaling.compared import ENOUGH, Pair
from benchmarks.scaling.model import NETWORKS, RANKS, Fit, shape_of
from minisgd.common.tables.description import Cell, Column, Table, words
from minisgd.common.units import digits, seconds, within

COLUMNS = [
    words("case"),
    words("by", help="threads of one process, or ranks with their transport and layout"),
    Column("median", "s", help="time of a call, that of the slowest rank"),
    Column("x one", help="times as fast as one process, with its interval"),
    Column("efficiency", "%", help="of what so many workers could do"),
    Column("GFLOPS a rank", "GFLOPS"),
    Column("messages", help="that a rank sends in a call; an all-reduce counts as one"),
    Column("sent", "B", help="bytes in them"),
    Column("communication", "s", help="of a call, that a rank spends in sending, receiving and waiting for the others"),
    Column("% of time", "%"),
]


NEAR = 0.2
"""A prediction that is off by no more is told as good."""

RECKONED = "*"
"""Behind what was not measured."""


def strong(run: Run) -> Table:
    """The same work on more workers."""
    return _table(compared.strong(run), "strong scaling: the same work")


def weak(run: Run) -> Table:
    """As much work a rank."""
    return _table(compared.weak(run), "weak scaling: R times the work on R ranks, x one is at best 1")


def sentences(run: Run) -> list[str]:
    """Whether the machine had two cores to give; if so, how ranks compare with threads, and where they pay."""
    said = [f"{record.title}: failed: {record.failure}" for record in run.records if record.failure]
    two = compared.two_threads(run)
    if two is None:
        return [*said, "Whether two threads get two cores was not measured, so nothing is concluded."]
    watched = f"Two threads are {within(two)} times as fast as one"
    if compared.starved(run):
        return [*said, f"{watched}, less than {ENOUGH}: a core was taken away, so nothing is concluded."]
    said.append(f"{watched}: the machine gave two cores.")
    for pair in compared.strong(run):
        if pair.several.ranks and (against := compared.of_threads(run, pair.several)):
            threads = f"{pair.workers * pair.several.threads} threads of one process"
            said.append(f"{named(pair.several)}, {by(pair.several)}: {within(against)} times as fast as {threads}.")
    return said + epochs_paid(compared.strong(run))


def epochs_paid(pairs: Sequence[Pair]) -> list[str]:
    """At which batch sizes several ranks were faster than one process, and at which not; the interval decides."""
    said = []
    several = [pair for pair in pairs if pair.several.workload == "sgd" and pair.several.ranks]
    for work, doer in dict.fromkeys((pair.several.size, by(pair.several)) for pair in several):
        mine = [pair for pair in several if (pair.several.size, by(pair.several)) == (work, doer)]
        paid = [f"{pair.several.shape['batch']:,}" for pair in mine if pair.speedup[1] > 1]
        unpaid = [f"{pair.several.shape['batch']:,}" for pair in mine if pair.speedup[1] <= 1]
        parts = [f"pay in batches of {', '.join(paid)}"] * bool(paid)
        parts += [f"do not{' pay' * (not paid)} in batches of {', '.join(unpaid)}"] * bool(unpaid)
        said.append(f"SGD {work}, {doer}: {'; '.join(parts)}.")
    return said


def modelled(fitted: Sequence[Fit]) -> list[Table]:
    """What the model was fitted to, how well it predicts, and from which batch ranks pay; no table without a model."""
    return [loops(fitted), constants(fitted), predictions(fitted), paying(fitted)] if fitted else []


def loops(fitted: Sequence[Fit]) -> Table:
    """What each loop takes on each shape."""
    made = Table(
        [
            words("d x k"), words("loop"), Column("step", "s", help="without examples"), Column("example", "s"),
            Column("GFLOPS", help="of a large batch"),
        ],
        "the model: a step takes (1 + waiting) (step + |B| / R example) + alpha messages + beta bytes",
    )  # fmt: skip
    for shape in dict.fromkeys(shape for fit in fitted for shape in fit.loops):
        made.rule()
        d, k = map(int, shape.split("x"))
        of = [("one process", fitted[0].alone[shape]), *((f"ranks, {fit.transport}", fit.loops[shape]) for fit in fitted)]
        for name, loop in of:
            made.add(shape, name, loop.step_s, loop.example_s, 4e-9 * d * k / loop.example_s if loop.example_s else None)
    return made


def constants(fitted: Sequence[Fit]) -> Table:
    """What summing costs, by transport."""
    columns = [
        words("transport"),
        Column("waiting", "%", help="for the slower rank, of computing"),
        Column("alpha", "s", help="a message"),
        Column("beta", "s", help="a byte"),
        Column("1/beta", help="10^9 bytes a second"),
    ]
    made = Table(columns, "its waiting, alpha and beta, of transports on this machine")
    for fit in fitted:
        made.add(fit.transport, 100 * fit.waiting, fit.alpha_s, fit.beta_s, 1e-9 / fit.beta_s if fit.beta_s else None)
    return made


def predictions(fitted: Sequence[Fit]) -> Table:
    """Each epoch of several ranks, as the model predicts it that was fitted to all others."""
    title = "held out: each epoch predicted by the model that was fitted to all the others"
    made = Table([words("epoch"), Column("measured", "s"), Column("predicted", "s"), Column("off, %")], title)
    for fit in fitted:
        for each in fit.held_out:
            made.add(each.title, each.measured_s, each.predicted_s, Cell(100 * each.off, f"{100 * each.off:+.0f}"))
    return made


def paying(fitted: Sequence[Fit]) -> Table:
    """The batch from which R ranks are faster than one; what was not measured is marked."""
    made = Table(
        [words("d x k"), words("transport"), words("network"), *(Column(f"R = {ranks:,}") for ranks in RANKS)],
        f"the batch from which R ranks pay; {RECKONED} marks what is reckoned from the model and from the network put in",
    )
    for shape in dict.fromkeys(shape for fit in fitted for shape in fit.loops):
        made.rule()
        for fit in fitted:
            for network in (None, *NETWORKS):
                batches = [fit.pays_from(shape, ranks, network) for ranks in RANKS] if shape in fit.loops else []
                seen = [network is None and ranks <= fit.ranks for ranks in RANKS]
                cells = [
                    Cell(batch, f"{_batch(batch)}{'' if measured else RECKONED}", style="" if measured else "faint")
                    for batch, measured in zip(batches, seen, strict=False)
                ]
                where = f"{network.name}, {seconds(network.latency_s)} a message {RECKONED}" if network else "this machine"
                made.add(shape, fit.transport, where, *cells)
    return made


def reasons(fitted: Sequence[Fit], run: Run) -> list[str]:
    """How well the model predicts, and why two ranks pay on this machine, or why not, for each shape."""
    off = [abs(each.off) for fit in fitted for each in fit.held_out]
    near = sum(each <= NEAR for each in off)
    said = (
        [f"Held out, {near} of {len(off)} epochs are predicted within {100 * NEAR:.0f} %, half within {100 * median(off):.0f} %."]
        if off
        else []
    )
    for fit in fitted:
        for shape in fit.loops:
            most = max(each.shape["batch"] for each in run.records if each.workload == "sgd" and shape_of(each) == shape)
            batch, takes = fit.pays_from(shape, 2), fit.all_reduce_s(shape, 2)
            examples = digits(takes / fit.alone[shape].example_s)
            pay = f"pay from a batch of {_batch(batch)}; the largest measured is {most:,}" if batch < inf else "pay at no batch"
            said.append(
                f"With d x k = {shape}, two ranks by {fit.transport} {pay}."
                f" Summing the gradients takes {seconds(takes)}, in which one process does {examples} examples."
            )
    return said


def by(record: Record) -> str:
    """What does a record's work."""
    threads = f"{record.threads} thread{'s' * (record.threads > 1)}"
    if record.ranks is None:
        return threads
    each = f" of {threads}" if record.threads > 1 else ""
    return ", ".join(filter(None, [f"{record.ranks.count} ranks{each}", record.ranks.transport, record.ranks.layout]))


def named(record: Record) -> str:
    """The work itself, whoever does it."""
    batch = f", batch {record.shape['batch']}" if "batch" in record.shape else ""
    kind = record.kernel if record.workload == "gemm" else "SGD"
    return f"{kind} {record.size}{batch}"


def _table(pairs: Sequence[Pair], title: str) -> Table:
    made = Table(COLUMNS, ", ".join([title, *sorted({pair.one.dtype for pair in pairs})]))
    for one in {pair.one.title: pair.one for pair in pairs}.values():
        made.rule()
        made.add(named(one), by(one), one.median_s, "", Cell(None), one.gflops)
        for pair in pairs:
            if pair.one.title == one.title:
                made.add(*_cells(pair))
    return made


def _cells(pair: Pair) -> list[Cell]:
    several = pair.several
    share = 100 * several.communication_s / several.median_s if several.communication_s and several.median_s else None
    values: list[Cell] = [
        Cell(named(several)),
        Cell(by(several)),
        Cell(several.median_s),
        Cell(pair.speedup[0], within(pair.speedup)),
    ]
    values += [Cell(100 * pair.efficiency), Cell((several.gflops or 0) / pair.workers), Cell(several.messages)]
    return [*values, Cell(several.sent_bytes), Cell(several.communication_s), Cell(share)]


def _batch(batch: float) -> str:
    """A batch size, to three digits."""
    if batch == inf:
        return "none"
    return digits(batch) if batch >= 1000 else str(ceil(batch))
