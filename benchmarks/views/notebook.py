"""Runs, records, machines and comparisons as a notebook shows them: the tables, pictures and sentences of the commands."""

from __future__ import annotations

from functools import singledispatch

from benchmarks.gate.alternation import Alternation
from benchmarks.harness import relations
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Record, Run
from benchmarks.views import comparison, kept, machine, pictures, tables
from benchmarks.views.transfers import transfers
from kernels.cpu.caches import Cache
from kernels.rungs.loop_tiles import predict
from minisgd.common.notebook import to_notebook
from minisgd.common.tables.description import Table


@singledispatch
def html(found: object) -> str:
    """What a notebook shows of a result.

    Raises
    ------
    TypeError
        If there is no view of such an object.
    """
    raise TypeError(f"expected a run, a record, a machine or a comparison, got {type(found).__name__}")


@html.register
def _(found: Run) -> str:
    """A run, workload by workload: a sweep over tiles, the ladder, epochs or transfers."""
    shown = []
    for workload in dict.fromkeys(record.workload for record in found.records):
        part = found.model_copy(update={"records": [each for each in found.records if each.workload == workload]})
        shown.append(_products(part) if workload == "gemm" else _others(part, workload))
    return "".join(shown)


@html.register
def _(found: Record) -> str:
    """A record as a row."""
    return to_notebook(tables=[tables.summary([found])])


@html.register
def _(found: Machine) -> str:
    """What the machine is and does at most."""
    told = list(machine.machine(found))
    said, listed = ([each for each in told if isinstance(each, kind)] for kind in (str, Table))
    return to_notebook(sentences=said, tables=listed)  # type: ignore[arg-type]


@html.register
def _(found: Alternation) -> str:
    """A kernel beside its peers."""
    compared, kernel = found.compared(), found.kernels[0].name
    decided = [each.plain() for each in compared if each.ahead and each.ahead.low]
    drawn = [kept.comparison(decided).figure()] if decided else []
    return to_notebook(drawn, comparison.sentences(compared, kernel, found.blocks), [comparison.table_of(compared, kernel)])


def _products(run: Run) -> str:
    passed = [record for record in run.records if record.gflops]
    tiled = [record for record in passed if relations.has_tile(record)]
    if any(record.chosen_tile for record in tiled):
        caches, some = [Cache(**vars(level)) for level in run.machine.caches], tiled[0]
        predicted = {name: each.tile for name, each in predict(some.kernel, some.dtype, caches, some.shape).items()}
        found = relations.tiled(tiled, predicted, caches)
        return to_notebook([pictures.tiles(tiled, predicted)], tables.predictions(found), [tables.tiling(found)])
    return to_notebook([pictures.ladder(run)] if passed else [], tables.sentences(run), [tables.results(run)])


def _others(run: Run, workload: str) -> str:
    if workload == "transfer":
        return to_notebook(sentences=tables.sentences(run), tables=[transfers(run)])
    drawn = [pictures.epochs(run)] if any(record.examples_s for record in run.records) else []
    return to_notebook(drawn, tables.sentences(run), [tables.epochs(run)])
