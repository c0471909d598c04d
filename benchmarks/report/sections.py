"""The page's sections: each selects its records, states what they show, and draws and lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from benchmarks.harness import relations
from benchmarks.harness.records import TILES, Record, Run
from benchmarks.report import frameworks, models
from benchmarks.report import pictures as drawn
from benchmarks.report.section import Section
from benchmarks.report.sources import Sources, swept
from benchmarks.trackers.history import worst_first
from benchmarks.views import history, pictures, tables, verdicts
from benchmarks.views import machine as machines
from kernels.cpu.caches import Cache
from kernels.rungs.loop_tiles import predict
from minisgd.common.cli import UsageError
from minisgd.common.tables.description import Cell, Column, Table, words
from minisgd.common.tables.to_json import from_json
from minisgd.common.units import digits, percent, seconds
from minisgd.experiments import batch_size, book

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS_SHOWN = 200
"""The most rows of steps; the command ``history`` prints all."""


def all_of(sources: Sources) -> list[Section]:
    """Every section, in the page's order."""
    before, after = (machine, ladder, over_size, roofline, tiles, overhead, sgd), (devices, commits, verdict, measured)
    beside = [frameworks.section(*sources.columns)] if sources.columns else []
    return [*(maker(sources) for maker in before), *beside, *(maker(sources) for maker in after)]


def machine(sources: Sources) -> Section:
    """CPU, caches, libraries, ceilings, and the balance of arithmetic against memory."""
    made = Section("machine", "This machine", "make bench")
    seen = set()
    for name, run in sources.runs:
        key = (run.machine.cpu, run.machine.os, run.machine.python)
        if key in seen:
            continue
        seen.add(key)
        for part in machines.machine(run.machine):
            if isinstance(part, str):
                made.sentences.append(part)
            else:
                made.tables.append(part if part.title else part.captioned(f"from {name}"))
    if len({key[0] for key in seen}) > 1:
        made.sentences.insert(0, f"These records are from {len(seen)} machines: compare within a machine, not across.")
    return made


def ladder(sources: Sources) -> Section:
    """Rates by rung and backend, and what each step up the ladder brings."""
    made = Section("ladder", "The ladder", "python -m benchmarks run")
    for name, run in sources.products():
        passed = [record for record in run.records if record.gflops]
        made.sentences += [f"{sources.label(name)}{sentence}" for sentence in tables.findings(run)]
        if top := relations.fastest(passed):
            figure = pictures.ladder(run)
            made.draw(figure, f"GFLOPS by rung on a log axis, {name}: the fastest is {drawn.spoken(top)}.")
        made.tables.append(tables.results(run, tabs=("PyTorch",)).captioned(f"{name}; the book's figures are PyTorch's"))
    if beside := _side_by_side(sources.products()):
        made.tables.append(beside)
    return made


def _side_by_side(runs: Sequence[tuple[str, Run]]) -> Table | None:
    """GFLOPS of the cases that were run on several machines, or at several commits, a column for each run."""
    rates = {name: {record.title: record for record in run.records if record.gflops} for name, run in runs}
    shared = [case for case in dict.fromkeys(chain(*rates.values())) if sum(case in found for found in rates.values()) > 1]
    shown = [(name, run) for name, run in runs if any(case in rates[name] for case in shared)]
    if len({(run.machine.cpu, run.commit) for _, run in shown}) < 2:
        return None
    several = len({run.machine.cpu for _, run in shown}) > 1
    columns = [Column(f"{name}, {(run.commit or 'no commit')[:8]}", "GFLOPS") for name, run in shown]
    made = Table([words("case"), *columns], "GFLOPS, runs side by side" + "; of different machines" * several)
    for case in shared:
        made.add(case, *(_beside(rates[name].get(case)) for name, _ in shown))
    return made


def _beside(record: Record | None) -> Cell:
    if record is None or record.gflops is None:
        return Cell(None)
    return Cell(record.gflops, digits(record.gflops) + " (held back)" * bool(record.held_back))


def over_size(sources: Sources) -> Section:
    """Rates over the size, a picture for each dtype and thread count."""
    made = Section("size", "Over size", "python -m benchmarks run --preset sizes")
    for name, run in sources.products():
        groups = defaultdict(list)
        for record in run.records:
            if record.gflops and len(set(record.shape.values())) == 1:
                groups[record.dtype, record.threads, record.device, record.cache].append(record)
        for (dtype, threads, *_), found in groups.items():
            if len({record.shape["m"] for record in found}) < 3:
                continue
            top = max(found, key=relations.rate)
            made.sentences.append(
                f"{sources.label(name)}{dtype}, threads {threads}: the most is {drawn.spoken(top)}"
                + (f", {percent(top.percent_of_peak)} % of the peak." if top.percent_of_peak else ".")
            )
            made.draw(
                drawn.over_size(found, run.machine), f"GFLOPS over size, {dtype}, threads {threads}: most {drawn.spoken(top)}."
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
        pairs, right = models.ranked(shown)
        if not pairs:
            continue
        said = (
            f"{sources.label(name)}With each operand counted once, all products of a size have the same intensity, which ranks"
            f" nothing. With each counted as often as the rung reads it, {right} of {pairs} pairs of a backend's rungs are ranked"
            " as they were measured."
        )
        made.sentences.append(said)
        made.draw(drawn.roofline(shown, limits), said)
        intensities = [Column("flops a byte, once"), Column("flops a byte, as read")]
        listed = Table([words("case"), *intensities, tables.RATE], name)
        for record in shown:
            listed.add(record.title, models.intensity(record, True), models.intensity(record, False), record.gflops)
        made.tables.append(listed)
    return made


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
        found = relations.tiled(passed, predicted, hierarchy)
        best = max(passed, key=relations.rate)
        sides, rate = tables.sides(best.tile or {}), digits(relations.rate(best))
        made.sentences.append(f"{sources.label(name)}The best tile measured, {sides}, reaches {rate} GFLOPS.")
        made.sentences += tables.predictions(found)
        if any(pictures.edge(record) for record in passed):
            made.draw(pictures.tiles(passed, predicted), made.sentences[0])
        made.tables.append(tables.tiling(found).captioned(name))
    return made


def overhead(sources: Sources) -> Section:
    """What starting its operation costs each kernel, and the share of its time."""
    made = Section("overhead", "Overhead", "python -m benchmarks run --preset sizes")
    groups: dict[str, list[Record]] = defaultdict(list)
    for _, run in sources.products():
        for record in run.records:
            if record.gflops and record.threads == 1 and record.dtype == "float32" and record.device == "cpu":
                groups[record.kernel].append(record)
    found = {kernel: models.overhead(mine) for kernel, mine in groups.items() if len({each.size for each in mine}) >= 2}
    if not found:
        return made
    worst = max(found, key=lambda name: found[name].share)
    made.sentences.append(
        f"Fitted: time = starts t0 + flops / R. Starting takes {percent(100 * found[worst].share)} % of the time of {worst},"
        f" {seconds(found[worst].start_s)} a start; the rest is arithmetic."
    )
    made.draw(drawn.overhead(found), made.sentences[0])
    columns = [words("kernel"), Column("t0, a start", "s"), Column("R, GFLOPS", "GFLOPS"), Column("% starting", "%")]
    listed = Table(columns, "fitted over sizes")
    for name, each in found.items():
        listed.add(name, each.start_s, 1 / each.flop_s / 1e9 if each.flop_s else None, 100 * each.share)
    made.tables.append(listed)
    return made


def sgd(sources: Sources) -> Section:
    """Training: the steps beside their limit, and the experiments: loss against time, batch sizes, gradient noise."""
    made = Section("sgd", "Minibatch SGD", "python -m benchmarks run --workload sgd; python -m minisgd experiment book --json F")
    for name, run in sources.runs:
        kept = run.model_copy(update={"records": [record for record in run.records if record.workload == "sgd"]})
        if any(record.examples_s for record in kept.records):
            made.sentences += [f"{sources.label(name)}{sentence}" for sentence in tables.fused(kept)]
            made.draw(pictures.epochs(kept), f"Examples a second over the batch size by step, {name}.")
            made.tables.append(tables.epochs(kept).captioned(name))
    for name, picture in (("book", book.draw), ("batch-size", batch_size.draw), ("noise", drawn.noise)):
        if found := sources.findings.get(name):
            made.sentences += found["sentences"]
            made.draw(_drawn(name, picture, found), found["sentences"][0])
            made.tables.append(from_json(**found["table"]))
    return made


def _drawn(name: str, picture: Callable[[dict[str, Any]], Figure], found: dict[str, Any]) -> Figure:
    """An experiment's picture.

    Raises
    ------
    UsageError
        If it lacks the figures that the picture shows.
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
            if record.gflops and record.dtype == "float32" and (key not in best or record.gflops > relations.rate(best[key])):
                best[key] = record
    if len({device for _, device in best}) < 2:
        return made
    sizes = sorted({size for size, _ in best})
    both = [size for size in sizes if (size, "cpu") in best and (size, "cuda") in best]
    ahead = [size for size in both if relations.rate(best[size, "cuda"]) > relations.rate(best[size, "cpu"])]
    made.sentences.append(
        f"CUDA overtakes the CPU at size {min(ahead)}." if ahead else "CUDA overtakes the CPU at no size measured."
    )
    listed = Table([Column("n"), Column("best on the CPU"), Column("best on CUDA")], "float32")
    for size in sizes:
        listed.add(size, *(drawn.spoken(best[size, device]) if (size, device) in best else "" for device in ("cpu", "cuda")))
    made.tables.append(listed)
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
    shown = history.table_of(listed, sources.commit_url)
    made.tables.append(shown.captioned(f"up to {STEPS_SHOWN} series with steps, the worst first"))
    return made


def verdict(sources: Sources) -> Section:
    """The last gate."""
    made = Section(
        "verdict", "Verdict", "python -m benchmarks gate main --json gate.json; python -m benchmarks report --gate gate.json"
    )
    if sources.outcome:
        made.sentences += verdicts.sentences(sources.outcome)
        if sources.outcome.rows:
            made.tables.append(verdicts.table_of(sources.outcome.rows, "head against base, worst first"))
    return made


def measured(sources: Sources) -> Section:
    """Settings, errors, failures, raw records, and the command."""
    made = Section("measured", "How measured", "make bench")
    listed = Table([
        words("file"), words("measured"), words("commit"), words("CPU"), Column("records"), Column("rounds"),
    ], "runs")  # fmt: skip
    failures = Table([words("file"), words("case"), words("reason")], "failed cases")
    for name, run in sources.runs:
        rounds = max((len(record.samples_per_round or []) for record in run.records), default=0)
        moment = f"{run.created:%Y-%m-%d %H:%M}"
        listed.add(name, moment, (run.commit or "")[:12], run.machine.cpu, len(run.records), rounds)
        for record in run.records:
            if record.failure:
                failures.add(name, record.title, record.failure)
    failed = len(failures.rows)
    made.sentences.append(
        "Each figure is the median over rounds in fresh processes, with the interval of that median. A kernel whose result is"
        f" wrong has no figure. {failed} case{'s' * (failed != 1)} failed. This command makes the page: {sources.command}"
    )
    made.tables += [each for each in (listed, failures) if each.rows]
    made.links += [(name, name) for name, _ in sources.runs]
    return made
