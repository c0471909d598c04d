"""The page's sections: the story, what differs between runs, and then every table, run by run, to look things up in."""

from __future__ import annotations

from statistics import median
from urllib.parse import quote

from benchmarks.harness import relations
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Record, Run
from benchmarks.report import frameworks, scaling, story
from benchmarks.report.differences import differences
from benchmarks.report.section import Group, Section
from benchmarks.report.sources import Sources
from benchmarks.report.sparklines import sparkline
from benchmarks.trackers.history import worst_first
from benchmarks.views import history, models, tables, verdicts
from benchmarks.views import machine as machines
from benchmarks.views.naming import machine_name
from benchmarks.views.sizes import spoken
from minisgd import published
from minisgd.common.tables.description import Cell, Column, Table, words
from minisgd.common.tables.to_json import from_json
from minisgd.common.units import percent
from minisgd.experiments import noise as gradients
from minisgd.experiments import overhead as steps
from minisgd.experiments import variants

STEPS_SHOWN = 200
"""The most rows of steps; the command ``history`` prints all."""


def all_of(sources: Sources) -> list[Section]:
    """Every section, in the page's order."""
    beside = [frameworks.section(*sources.columns)] if sources.columns else []
    before = (machine, products, roofline, overhead, sgd)
    after = (scaling.section, devices, commits, verdict, distributions, measured)
    made = [*differences(sources), *story.story(sources), *(make(sources) for make in before), *beside]
    return [*made, *(make(sources) for make in after)]


def machine(sources: Sources) -> Section:
    """CPU, caches, libraries, ceilings, and the balance of arithmetic against memory."""
    made = Section("machine", "Machines", "make bench")
    seen: dict[str, Machine] = {}
    for _, run in sources.runs:
        seen.setdefault(f"{machine_name(run.machine)}, {run.machine.os}, Python {run.machine.python}", run.machine)
    for name, here in seen.items():
        group = Group(name)
        for part in machines.machine(here):
            if isinstance(part, str):
                group.sentences.append(part)
            else:
                group.tables.append(part)
        made.groups.append(group)
    if len({machine_name(here) for here in seen.values()}) > 1:
        made.say(f"These records are from {len(seen)} machines: compare within a machine, not across.")
    return made


def products(sources: Sources) -> Section:
    """Every matrix product, run by run."""
    made = Section("products", "Matrix products", "python -m benchmarks run")
    for name, run in _by_machine(sources.products()):
        tabs = ("PyTorch",) if _is_the_books(run) else ()
        shown = tables.results(run, tabs).captioned("the book's figures are PyTorch's" if tabs else "")
        made.groups.append(Group(sources.name(name), tables.findings(run), [_with_distributions(shown, name, run)]))
    return made


def _by_machine(runs: list[tuple[str, Run]]) -> list[tuple[str, Run]]:
    """The same runs, those of a machine together, the newest first."""
    newest = sorted(runs, key=lambda each: each[1].created, reverse=True)
    return sorted(newest, key=lambda each: machine_name(each[1].machine))


def _is_the_books(run: Run) -> bool:
    """Whether all products in one call are those of the textbook's size, so that its figures may stand beside them."""
    return {(each.size, each.dtype) for each in run.records if each.rung == "full"} == {published.CASE}


def _with_distributions(shown: Table, name: str, run: Run) -> Table:
    """A table of a run, a row a record, whose first cells lead to the records' samples."""
    for row, record in zip(shown.rows, run.records, strict=True):
        if record.samples_s and not record.failure:
            row[0] = Cell(row[0].value, row[0].text, row[0].style, f"#samples={quote(f'{name}/{record.title}')}")
    return shown


def roofline(sources: Sources) -> Section:
    """How many flops each kernel makes of a byte."""
    made = Section("roofline", "Flops a byte", "python -m benchmarks run")
    for name, run in _by_machine(sources.products()):
        shown = [each for each in run.records if each.gflops and each.threads == 1 and each.device == "cpu"]
        if shown:
            made.groups.append(Group(sources.name(name), _ranked(shown), [_intensities(shown)]))
    return made


def _ranked(shown: list[Record]) -> list[str]:
    pairs, right = models.ranked(shown)
    if not pairs:
        return []
    return [
        f"Of {pairs} pairs of rungs of one backend on one product, the one with more flops a byte as read is faster in {right}."
    ]


def _intensities(shown: list[Record]) -> Table:
    once = Column("flops a byte, once", help="each operand counted once")
    read = Column("flops a byte, as read", help="each operand counted as often as the rung reads it")
    made = Table([words("case"), once, read, tables.RATE], "Flops a byte")
    for record in shown:
        made.add(record.title, models.intensity(record, True), models.intensity(record, False), record.gflops)
    return made


def overhead(sources: Sources) -> Section:
    """What starting its operation costs each kernel, and the share of its time."""
    made = Section("overhead", "Overhead", "python -m benchmarks run --preset sizes")
    found = story.overheads(sources)
    if not found:
        return made
    made.say("Fitted over sizes: time = starts t0 + flops / R. The share is that of the largest product measured.")
    columns = [words("kernel"), Column("t0, a start", "s"), Column("R, GFLOPS", "GFLOPS"), Column("% starting", "%")]
    listed = Table(columns, "What a start costs")
    for name, each in found.items():
        listed.add(name, each.start_s, 1 / each.flop_s / 1e9 if each.flop_s else None, 100 * each.share)
    made.tables.append(listed)
    return made


def sgd(sources: Sources) -> Section:
    """Epochs of SGD, run by run, and the experiments' tables."""
    made = Section("sgd", "Minibatch SGD", "python -m benchmarks run --workload sgd; python -m minisgd experiment book --json F")
    for name, run in _by_machine(sources.runs):
        epochs = run.model_copy(update={"records": [record for record in run.records if record.workload == "sgd"]})
        if epochs.records:
            shown = _with_distributions(tables.epochs(epochs), name, epochs)
            made.groups.append(Group(sources.name(name), tables.fused(epochs), [shown]))
    for name, found in sources.findings.items():
        made.groups.append(Group(f"Experiment {name}", found["sentences"], [from_json(**found["table"])]))
    for name, draw, caption in (
        ("noise", gradients.draw, "How a minibatch's gradient scatters; the dotted line falls with the root of the batch size."),
        ("overhead", steps.draw, "Time of a step, with intervals. Where a line is flat, the start is all that a step costs."),
        ("variants", variants.draw, "Loss after each epoch, with intervals over the visiting orders."),
    ):
        if kept := sources.findings.get(name):
            story.draw_experiment(made, name, draw, kept, caption)
    return made


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
        listed.add(size, *(spoken(best[size, device]) if (size, device) in best else "" for device in ("cpu", "cuda")))
    made.tables.append(listed)
    return made


def commits(sources: Sources) -> Section:
    """Series over commits: a sparkline for each, the largest steps drawn, and the steps in a table."""
    made = Section("history", "History", "asv run; python -m benchmarks report --asv .asv/results")
    if not sources.series:
        return made
    ordered = worst_first(sources.series)
    made.sentences += history.sentences(sources.series)
    made.draw(
        history.picture(ordered), "The series with the largest steps for the worse, if any: points with intervals, and levels."
    )
    made.sparklines += [sparkline(each) for each in ordered]
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


def distributions(sources: Sources) -> Section:
    """Every sample of a case, by round, drawn when it is asked for."""
    made = Section("distributions", "Distributions", "python -m benchmarks run")
    if any(record.samples_s for _, run in sources.runs for record in run.records):
        made.say("Choose a case here, or by its name in a table: each dot is a sample, a row of dots is a round.")
    return made


def measured(sources: Sources) -> Section:
    """Settings, errors, failures, raw records, and the command."""
    made = Section("measured", "How measured", "make bench")
    listed = Table([
        words("run"), words("measured"), words("commit"), words("CPU"), Column("records"), Column("rounds"),
        Column("noise, %", help="half of the intervals reach further from their median"), words("file"),
    ], "runs")  # fmt: skip
    failures = Table([words("case"), words("reason"), words("run")], "failed cases")
    for name, run in _by_machine(sources.runs):
        rounds = max((len(record.samples_per_round or []) for record in run.records), default=0)
        moment = f"{run.created:%Y-%m-%d %H:%M}"
        cells = (sources.name(name), moment, (run.commit or "")[:12], run.machine.cpu)
        noise = _noise(run)
        listed.add(*cells, len(run.records), rounds, Cell(noise, "" if noise is None else percent(noise)), name)
        for record in run.records:
            if record.failure:
                failures.add(record.title, record.failure, sources.name(name))
    failed = len(failures.rows)
    made.say(
        "Each figure is the median over rounds in fresh processes, with the interval of that median. A kernel whose result is"
        f" wrong has no figure. {failed} case{'s' * (failed != 1)} failed."
    )
    newest = max((run for _, run in sources.runs), key=lambda run: run.created, default=None)
    if newest and (noise := _noise(newest)):
        made.say(
            f"In the newest run half of the intervals reach further than {percent(noise)} % from their median: a difference"
            " between two figures that is smaller may be chance."
        )
    made.tables += [each for each in (listed, failures) if each.rows]
    made.links += [(name, name) for name, _ in sources.runs]
    return made


def _noise(run: Run) -> float | None:
    """Percent of its median that a case's interval reaches from it: the median over the cases; None if none has an interval."""
    spans = [(each.median_s, *each.interval_s) for each in run.records if each.median_s]
    return median(100 * max(middle - low, high - middle) / middle for middle, low, high in spans) if spans else None
