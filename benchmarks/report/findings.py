"""What a page, or the end of a measurement, says first: what this machine is, and three findings with their figures.

All of it follows from records; a finding whose data are missing is left out. The page has the figures of each finding in a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import TYPE_CHECKING

from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Record
from benchmarks.harness.relations import rate
from benchmarks.views.naming import machine_name
from minisgd.common.units import digits, seconds, size

if TYPE_CHECKING:
    from benchmarks.report.sources import Sources

OURS = ("python", "numba", "numba-cuda", "triton", "triton-tf32")
"""Backends whose `full` is this project's own; every other `full` is a library's product, which users would pick instead."""

LIBRARIES = {"openblas": "OpenBLAS", "mkl": "MKL", "aocl": "AOCL"}
"""What a peer is called; any other by its backend."""

COMPILED, INTERPRETED = "numba", ("numpy", "torch")
"""Backends whose climb from a loop over elements to a product in one call is told: of the latter, the first that was measured."""

TRAIN = "python -m benchmarks run --workload sgd; python -m minisgd experiment batch-size"


@dataclass(frozen=True)
class Fact:
    """A figure in a sentence.

    Parameters
    ----------
    what : str
    text : str
        The figure as the sentence has it.
    spread : str
        Its interval, if it has one.
    source : str
        The case, or the experiment, that it is from.
    """

    what: str
    text: str
    spread: str = ""
    source: str = ""


@dataclass(frozen=True)
class Finding:
    """A sentence with its figures.

    Parameters
    ----------
    text : str
        Plain text.
    anchor : str
        Of the page's section that shows it, without the "#".
    command : str
        Repeats it.
    facts : tuple of Fact
    """

    text: str
    anchor: str
    command: str
    facts: tuple[Fact, ...] = ()


def findings(sources: Sources) -> list[Finding]:
    """Up to three: what blocking brings, what is fastest here and by how much, and which batch size is first at the floor."""
    made = (blocking(sources), fastest(sources), batch_size(sources))
    return [each for each in made if each]


def machines(sources: Sources) -> list[Finding]:
    """A line for each machine that something was measured on: what it is, and the most that it does."""
    found: dict[str, Finding] = {}
    for _, run in sorted(sources.runs, key=lambda each: each[1].created, reverse=True):
        found.setdefault(machine_name(run.machine), _machine(run.machine))
    return list(found.values())


def _machine(here: Machine) -> Finding:
    name = machine_name(here)
    facts = [Fact("cores", str(here.cores))]
    facts += [Fact(f"L{level.level} cache", size(level.size)) for level in here.caches]
    said = [f"{facts[0].text} core{'s' * (here.cores != 1)}", *(f"L{level.level} {size(level.size)}" for level in here.caches)]
    limits = here.ceilings.get("cpu")
    peaks = [each for each in limits.peaks if each.dtype == "float32"] if limits else []
    if peaks:
        rates = [Fact(f"GFLOPS at most, float32, {_on(peak.threads)}", digits(peak.gflops)) for peak in peaks]
        many = (f"{fact.text} GFLOPS on {_on(peak.threads)}" for fact, peak in zip(rates, peaks, strict=True))
        said.append(f"at most {' and '.join(many)} (float32 multiply-adds from registers)")
        facts += rates
    if limits and (memory := limits.bandwidth("memory", 1)):
        facts.append(Fact("GB/s from memory, 1 thread", digits(memory.read_gbs)))
        said.append(f"{facts[-1].text} GB/s from memory")
    if here.gpu:
        found = here.ceilings.get("cuda")
        most = max((peak.gflops for peak in found.peaks if peak.dtype == "float32"), default=0.0) if found else 0.0
        facts += [Fact(f"GFLOPS at most, float32, {here.gpu}", digits(most))] * bool(most)
        said.append(f"{here.gpu}{f' with at most {digits(most)} GFLOPS' if most else ''}")
    return Finding(f"{name}: {', '.join(said)}.", "limit", "python -m benchmarks machine", tuple(facts))


def products(sources: Sources) -> list[list[Record]]:
    """Records of matrix products that passed, run by run, the newest first: of the machine that was measured on last.

    Figures of two runs are never compared in a sentence: between them the machine may have become another, or busy.
    """
    runs = [run for _, run in sorted(sources.products(), key=lambda each: each[1].created, reverse=True)]
    here = [run for run in runs if machine_name(run.machine) == machine_name(runs[0].machine)]
    return [found for run in here if (found := [record for record in run.records if record.gflops])]


def is_peer(record: Record) -> bool:
    """Whether a record is of a library's product that runs the code of its own choice."""
    return record.rung == "full" and record.backend not in OURS and not record.held_back


def blocking(sources: Sources) -> Finding | None:
    """How many times faster than a loop over elements blocks are, where the loop is compiled, and one call where it is not."""
    found = products(sources)
    facts: list[Fact] = []
    said = []
    for backend in (COMPILED, next((each for each in INTERPRETED if _climb(found, each)), "")):
        if not (climb := _climb(found, backend)):
            continue
        top, first = climb
        times = Fact(f"{top.kernel} over {first.kernel}", digits(rate(top) / rate(first)), _spread(top, first), top.title)
        facts += [times, _gflops(top), _gflops(first)]
        rates = f"{facts[-1].text} to {facts[-2].text} GFLOPS{f' at {top.size}' * (top.shape == first.shape)}"
        what = "the same product" if top.shape == first.shape else "each multiply-add"
        if backend == COMPILED:
            said.append(f"blocking makes {what} {times.text} times faster in numba, whose loop is compiled ({rates})")
        else:
            said.append(f"in {backend} one call makes {what} {times.text} times faster than a loop in the interpreter ({rates})")
    text = "; ".join(said)
    return (
        Finding(f"{text[0].upper()}{text[1:]}.", "blocking", "python -m benchmarks run --preset sizes", tuple(facts))
        if said
        else None
    )


def _climb(runs: Sequence[Sequence[Record]], backend: str) -> tuple[Record, Record] | None:
    """A backend's product in one call on one thread, and its loop over elements; of the same shape, if a run has such a pair."""
    pairs = [
        (top, first)
        for records in runs
        for top, first in product([each for each in records if _is(each, backend, "full")], records)
        if _is(first, backend, "elementwise") and (top.dtype, top.cache) == (first.dtype, first.cache)
    ]
    return max(pairs, key=lambda pair: (pair[0].shape == pair[1].shape, pair[1].flops or 0, rate(pair[0])), default=None)


def _is(record: Record, backend: str, rung: str) -> bool:
    return (record.backend, record.rung, record.threads, record.device) == (backend, rung, 1, "cpu")


def fastest(sources: Sources) -> Finding | None:
    """What is fastest on this machine, and our kernel over the best peer, or the best peer over it, in the same case."""
    found = max(products(sources), key=lambda records: max(map(rate, records)), default=None)
    if not found:
        return None
    top = max(found, key=rate)
    beside = [each for each in found if _conditions(each) == _conditions(top)]
    ours = max((each for each in beside if each.backend in OURS), key=rate, default=None)
    peer = max((each for each in beside if is_peer(each)), key=rate, default=None)
    facts = [_gflops(top)]
    where = f"{facts[0].text} GFLOPS at {top.size}, {top.dtype}, {_on(top.threads) if top.device == 'cpu' else top.device}"
    text = f"{top.label} is the fastest here: {where}"
    if ours and peer:
        ahead, behind = (ours, peer) if rate(ours) >= rate(peer) else (peer, ours)
        times = Fact(
            f"{ahead.kernel} over {behind.kernel}", digits(rate(ahead) / rate(behind)), _spread(ahead, behind), top.title
        )
        facts += [_gflops(behind), times] if ahead is top else [_gflops(ahead), _gflops(behind), times]
        told = "" if (ahead.gflops_low or 0) > (behind.gflops_high or 0) else "; the two intervals overlap"
        other = f"the best BLAS here, {_library(peer)}" if ahead is ours else ours.kernel
        compared = f"{ahead.kernel} is {times.text} times as fast as {other}"
        text = f"{compared}: {where}{told}" if ahead is top else f"{text}; {compared}{told}"
    return Finding(f"{text}.", "limit", "python -m benchmarks run", tuple(facts))


def batch_size(sources: Sources) -> Finding | None:
    """Which batch size comes within reach of the least loss first, and what a framework takes for it at its best."""
    found = sources.findings.get("batch-size", {}).get("rows", ())
    reached = {row[0]: (row[1], row[3]) for row in found if row[3]}
    if not reached:
        return None
    spent = {batch: epoch * epochs for batch, (epoch, epochs) in reached.items()}
    first = min(spent, key=spent.__getitem__)
    source = "experiment batch-size"
    facts = [Fact("batch size that is first", str(first), source=source)]
    facts.append(Fact(f"batch {first}: time to 1 % of the floor", seconds(spent[first]), source=source))
    text = f"Batches of {first} come within 1 % of the least loss first, in {facts[-1].text}"
    framework = {
        record.shape["batch"]: (record.median_s * reached[record.shape["batch"]][1], record)
        for record in epochs(sources, "torch")
        if record.median_s and record.shape["batch"] in reached
    }
    if framework:
        best = min(framework, key=lambda batch: framework[batch][0])
        spent_s, record = framework[best]
        facts.append(Fact(f"torch, batch {best}: time to 1 % of the floor", seconds(spent_s), source=record.title))
        text += f"; torch takes {facts[-1].text} with the batch size that is best for it, {best}"
    return Finding(f"{text}.", "minibatches", TRAIN, (*facts, Fact("of the least loss, as far as the target is above it", "1 %")))


def epochs(sources: Sources, step: str | None = None) -> list[Record]:
    """Records of epochs of SGD that passed: of one step, or of all."""
    found = chain.from_iterable(run.records for _, run in sources.runs)
    return [each for each in found if each.workload == "sgd" and each.median_s and step in (None, each.kernel)]


def _conditions(record: Record) -> tuple[object, ...]:
    return record.size, record.dtype, record.device, record.threads, record.cache, record.layout


def _gflops(record: Record) -> Fact:
    spread = f"{digits(record.gflops_low or 0)}-{digits(record.gflops_high or 0)}"
    return Fact(f"GFLOPS of {record.kernel}", digits(rate(record)), spread, record.title)


def _spread(one: Record, other: Record) -> str:
    """The interval of the ratio of two rates, at its widest: the ends of both intervals against each other."""
    low = (one.gflops_low or rate(one)) / (other.gflops_high or rate(other))
    high = (one.gflops_high or rate(one)) / (other.gflops_low or rate(other))
    return f"{digits(low)}-{digits(high)}"


def _library(record: Record) -> str:
    return LIBRARIES.get(record.backend, f"{record.backend}'s")


def _on(threads: int) -> str:
    return f"{threads} thread{'s'[: threads > 1]}"
