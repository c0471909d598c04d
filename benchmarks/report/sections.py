"""The page's sections: each looks for its records, says what they show, and draws and lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.records import TILES, Record, Run
from benchmarks.report import pictures as drawn
from benchmarks.report.section import Grid, Section, grid
from benchmarks.report.sources import Sources, swept
from benchmarks.trackers.history import worst_first
from benchmarks.views import history, pictures, tables, verdicts
from kernels.cpu.caches import Cache
from kernels.rungs.loop_tiles import predict
from minisgd.common.cli import UsageError
from minisgd.common.units import digits, percent, seconds
from minisgd.experiments import batch_size, book

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS_SHOWN = 200
"""Rows of steps; more are in the command's own output."""


def all_of(sources: Sources) -> list[Section]:
    """Every section, in the page's order."""
    makers = (machine, ladder, over_size, roofline, tiles, overhead, sgd, devices, commits, verdict, measured)
    return [maker(sources) for maker in makers]


def machine(sources: Sources) -> Section:
    """CPU, caches, libraries, ceilings, and the balance of arithmetic against memory."""
    made = Section("machine", "This machine", "make bench")
    seen = set()
    for name, run in sources.runs:
        key = (run.machine.cpu, run.machine.os, run.machine.python)
        if key in seen:
            continue
        seen.add(key)
        for part in tables.machine(run.machine):
            if isinstance(part, str):
                made.sentences.append(part)
            else:
                shown = grid(part)
                made.tables.append(Grid(shown.headings, shown.rows, shown.caption or f"from {name}"))
    if len({key[0] for key in seen}) > 1:
        made.sentences.insert(0, f"These records are from {len(seen)} machines: compare within a machine, not across.")
    return made


def ladder(sources: Sources) -> Section:
    """Rates by rung and backend, and what each step up the ladder brings."""
    made = Section("ladder", "The ladder", "python -m benchmarks run")
    for name, run in sources.products():
        passed = [record for record in run.records if record.gflops]
        made.sentences += [f"{sources.label(name)}{sentence}" for sentence in tables.sentences(run) if "failed:" not in sentence]
        if passed:
            top = max(passed, key=lambda record: record.gflops or 0)
            figure = pictures.ladder(run)
            made.draw(figure, f"GFLOPS by rung on a log axis, {name}: the fastest is {drawn.said(top)}.")
        made.tables.append(grid(tables.results(run, tabs=("PyTorch",))).captioned(f"{name}; the book's figures are PyTorch's"))
    if beside := _side_by_side(sources.products()):
        made.tables.append(beside)
    return made


def _side_by_side(runs: Sequence[tuple[str, Run]]) -> Grid | None:
    """GFLOPS of the cases that were run on several machines, or at several commits, a column for each run."""
    rates = {
        name: {r.title: digits(r.gflops) + " (held back)" * bool(r.held_back) for r in run.records if r.gflops}
        for name, run in runs
    }
    shared = [case for case in dict.fromkeys(chain(*rates.values())) if sum(case in found for found in rates.values()) > 1]
    shown = [(name, run) for name, run in runs if any(case in rates[name] for case in shared)]
    machines = {run.machine.cpu for _, run in shown}
    if len({(run.machine.cpu, run.commit) for _, run in shown}) < 2:
        return None
    headings = ["case", *(f"{name}, {(run.commit or 'no commit')[:8]}" for name, run in shown)]
    rows = [[case, *(rates[name].get(case, "") for name, _ in shown)] for case in shared]
    return Grid(headings, rows, "GFLOPS, runs side by side" + "; of different machines" * (len(machines) > 1))


def over_size(sources: Sources) -> Section:
    """Rates against the size, dtypes and threads apart."""
    made = Section("size", "Over size", "python -m benchmarks run --preset sizes")
    for name, run in sources.products():
        groups = defaultdict(list)
        for record in run.records:
            if record.gflops and len(set(record.shape.values())) == 1:
                groups[record.dtype, record.threads, record.device, record.cache].append(record)
        for (dtype, threads, *_), found in groups.items():
            if len({record.shape["m"] for record in found}) < 3:
                continue
            top = max(found, key=lambda record: record.gflops or 0)
            made.sentences.append(
                f"{sources.label(name)}{dtype}, threads {threads}: the most is {drawn.said(top)}"
                + (f", {percent(top.percent_of_peak)} % of the peak." if top.percent_of_peak else ".")
            )
            made.draw(
                drawn.over_size(found, run.machine), f"GFLOPS over size, {dtype}, threads {threads}: most {drawn.said(top)}."
            )
    return made


def roofline(sources: Sources) -> Section:
    """Rates at their arithmetic intensity, under the bandwidths."""
    made = Section("roofline", "Roofline", "python -m benchmarks run")
    for name, run in sources.products():
        limits = run.machine.ceilings.get("cpu")
        mine = [record for record in run.records if record.gflops and record.threads == 1 and record.device == "cpu"]
        if not limits or not mine:
            continue
        dtypes = [record.dtype for record in mine]
        shown = [record for record in mine if record.dtype == max(sorted(set(dtypes)), key=dtypes.count)]
        pairs, right = _ranked(shown)
        if not pairs:
            continue
        said = (
            f"{sources.label(name)}Counting each operand once gives all products of a size one intensity, which ranks nothing;"
            f" what the rungs ask for puts {right} of {pairs} pairs of a backend's rungs in the order that was measured."
        )
        made.sentences.append(said)
        made.draw(drawn.roofline(shown, limits), said)
        rows = [
            [r.title, digits(drawn.intensity(r, True)), digits(drawn.intensity(r, False)), digits(r.gflops or 0)] for r in shown
        ]
        made.tables.append(Grid(["case", "flops a byte, once", "flops a byte, asked for", "GFLOPS"], rows, name))
    return made


def _ranked(records: Sequence[Record]) -> tuple[int, int]:
    """Pairs of a backend's rungs on one shape, and how many of them the bytes asked for rank as measured."""
    pairs = [(x, y) for i, x in enumerate(records) for y in records[:i] if x.backend == y.backend and x.shape == y.shape]
    right = [(drawn.intensity(x, False) - drawn.intensity(y, False)) * ((x.gflops or 0) - (y.gflops or 0)) > 0 for x, y in pairs]
    return len(pairs), sum(right)


def tiles(sources: Sources) -> Section:
    """The sweep of tile sizes, and the tiles that were predicted."""
    made = Section("tiles", "Tiles", "python -m benchmarks tune")
    for name, run in sources.runs:
        if not swept(run):
            continue
        passed = [record for record in run.records if record.gflops and record.rung in TILES and record.tile]
        if not passed:
            continue
        some = passed[0]
        hierarchy = [Cache(**vars(level)) for level in run.machine.caches]
        predicted = {name: each.tile for name, each in predict(some.kernel, some.dtype, hierarchy, some.shape).items()}
        best = max(passed, key=lambda record: record.gflops or 0)
        sides, rate = tables.sides(best.tile or {}), digits(best.gflops or 0)
        made.sentences.append(f"{sources.label(name)}The best tile measured, {sides}, reaches {rate} GFLOPS.")
        made.sentences += tables.predictions(passed, predicted)
        if any(pictures.edge(record) for record in passed):
            made.draw(pictures.tiles(passed, predicted), made.sentences[0])
        made.tables.append(grid(tables.tiling(passed, predicted)).captioned(name))
    return made


def overhead(sources: Sources) -> Section:
    """What a start of each kernel's operation costs, and how much of its time that is."""
    made = Section("overhead", "Overhead", "python -m benchmarks run --preset sizes")
    found = {}
    groups: dict[str, list[Record]] = defaultdict(list)
    for _, run in sources.products():
        for record in run.records:
            if record.gflops and record.threads == 1 and record.dtype == "float32" and record.device == "cpu":
                groups[record.kernel].append(record)
    for kernel, mine in groups.items():
        if len({record.size for record in mine}) >= 2:
            found[kernel] = (*_fit(mine), mine)
    if not found:
        return made
    worst = max(found, key=lambda name: drawn.share(found[name]))
    made.sentences.append(
        f"Fitted time = starts t0 + flops / R: starting takes {percent(100 * drawn.share(found[worst]))} % of {worst}'s time,"
        f" {seconds(found[worst][0])} a start; what is left of a slow rung is arithmetic."
    )
    made.draw(drawn.overhead(found), made.sentences[0])
    rows = [
        [name, seconds(start), digits(1 / slope / 1e9) if slope else "", percent(100 * drawn.share(found[name]))]
        for name, (start, slope, _) in found.items()
    ]
    made.tables.append(Grid(["kernel", "t0, a start", "R, GFLOPS", "% starting"], rows, "fitted over sizes"))
    return made


def _fit(records: Sequence[Record]) -> tuple[float, float]:
    """Seconds a start and a flop, neither negative, by least squares of relative errors."""
    from scipy.optimize import nnls

    times = np.array([record.median_s or 1 for record in records])
    model = np.array([[drawn.calls(record), record.flops or 0] for record in records]) / times[:, None]
    scale = model.max(axis=0)
    found, _ = nnls(model / scale, np.ones(len(times)))
    start, slope = found / scale
    return float(start), float(slope)


def sgd(sources: Sources) -> Section:
    """Training: the steps beside their limit, and what the experiments found: loss against time, batch sizes, gradient noise."""
    made = Section("sgd", "Minibatch SGD", "python -m benchmarks run --workload sgd; python -m minisgd experiment book --json F")
    for name, run in sources.runs:
        kept = run.model_copy(update={"records": [record for record in run.records if record.workload == "sgd"]})
        if any(record.examples_s for record in kept.records):
            made.sentences += [sources.label(name) + each for each in tables.sentences(kept) if "fused epoch" in each]
            made.draw(pictures.epochs(kept), f"Examples a second over the batch size by step, {name}.")
            made.tables.append(grid(tables.epochs(kept)).captioned(name))
    for name, picture in (("book", book.draw), ("batch-size", batch_size.draw), ("noise", drawn.noise)):
        if found := sources.findings.get(name):
            made.sentences += found["sentences"]
            made.draw(_drawn(name, picture, found), found["sentences"][0])
            made.tables.append(Grid(found["table"]["headings"], found["table"]["rows"], found["table"]["title"]))
    return made


def _drawn(name: str, picture: Callable[[dict[str, Any]], Figure], found: dict[str, Any]) -> Figure:
    """An experiment's picture.

    Raises
    ------
    UsageError
        If its figures are not those that the picture is of.
    """
    try:
        return picture(found)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"experiment {name}: its figures cannot be drawn ({reason}); run the experiment again") from None


def devices(sources: Sources) -> Section:
    """CPU and CUDA side by side."""
    made = Section("devices", "Devices", "python -m benchmarks run --device cuda")
    best: dict[tuple[int, str], Record] = {}
    for _, run in sources.products():
        for record in run.records:
            key = (record.shape["m"], record.device)
            if record.gflops and record.dtype == "float32" and (key not in best or record.gflops > (best[key].gflops or 0)):
                best[key] = record
    if len({device for _, device in best}) < 2:
        return made
    sizes = sorted({size for size, _ in best})
    rows = [[str(n), *(drawn.said(best[n, d]) if (n, d) in best else "" for d in ("cpu", "cuda"))] for n in sizes]
    ahead = [
        n
        for n in sizes
        if (n, "cpu") in best and (n, "cuda") in best and (best[n, "cuda"].gflops or 0) > (best[n, "cpu"].gflops or 0)
    ]
    made.sentences.append(
        f"CUDA overtakes the CPU at size {min(ahead)}." if ahead else "CUDA overtakes the CPU at no size measured."
    )
    made.tables.append(Grid(["n", "best on the CPU", "best on CUDA"], rows, "float32"))
    return made


def commits(sources: Sources) -> Section:
    """Series over commits, with intervals and steps."""
    made = Section("history", "History", "asv run; python -m benchmarks report --asv .asv/results")
    if not sources.series:
        return made
    ordered = worst_first(sources.series)
    made.sentences += history.sentences(sources.series)
    made.draw(history.picture(ordered), f"The series with the largest steps for the worse. {made.sentences[0]}")
    listed = [each for each in ordered if each.steps][:STEPS_SHOWN] or ordered[:STEPS_SHOWN]
    shown = grid(history.table_of(listed)).captioned(f"up to {STEPS_SHOWN} series with steps, the worst first")
    if sources.commit_url:
        shown.links.update({step.commit[:8]: sources.commit_url + step.commit for each in listed for step in each.steps})
    made.tables.append(shown)
    return made


def verdict(sources: Sources) -> Section:
    """The last gate."""
    made = Section(
        "verdict", "Verdict", "python -m benchmarks gate main --json gate.json; python -m benchmarks report --gate gate.json"
    )
    if sources.outcome:
        made.sentences += verdicts.sentences(sources.outcome)
        if sources.outcome.rows:
            made.tables.append(grid(verdicts.table_of(sources.outcome.rows)).captioned("head against base, worst first"))
    return made


def measured(sources: Sources) -> Section:
    """Settings, errors, failures, raw records, and the command."""
    made = Section("measured", "How measured", "make bench")
    rows, failed = [], []
    for name, run in sources.runs:
        rounds = max((len(record.samples_per_round or []) for record in run.records), default=0)
        rows.append(
            [name, f"{run.created:%Y-%m-%d %H:%M}", (run.commit or "")[:12], run.machine.cpu, str(len(run.records)), str(rounds)]
        )
        failed += [[name, record.title, record.failure] for record in run.records if record.failure]
    made.sentences.append(
        "A figure is the median over rounds in fresh processes, the interval that of the rounds; a kernel whose result is wrong"
        f" has no figure. {len(failed)} case{'s' * (len(failed) != 1)} failed. This page is made again by: {sources.command}"
    )
    if rows:
        made.tables.append(Grid(["file", "measured", "commit", "CPU", "records", "rounds"], rows, "runs"))
    if failed:
        made.tables.append(Grid(["file", "case", "reason"], failed, "failed cases"))
    made.links += [(name, name) for name, _ in sources.runs]
    return made
