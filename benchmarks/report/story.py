"""The page's five screens: why a loop is slow, what blocking does, how near the limit, why minibatches, what a framework costs.

Each says what to see, in sentences whose figures are in its first table, shows it, and has the command that repeats it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from benchmarks.harness import relations
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Record, Run
from benchmarks.report import findings
from benchmarks.report.findings import Fact
from benchmarks.report.section import Section
from benchmarks.report.sources import Sources, swept
from benchmarks.views import bars, models, pictures, tables, training
from benchmarks.views import blocking as drawn
from benchmarks.views import frameworks as costs
from benchmarks.views.roofline import roofline
from benchmarks.views.sizes import over_size
from kernels.cpu.caches import Cache
from kernels.cpu.tiles import ITEMSIZE
from kernels.rungs.loop_tiles import predict
from minisgd.common.cli import UsageError
from minisgd.common.units import digits, percent, seconds
from minisgd.experiments import batch_size, book

if TYPE_CHECKING:
    from minisgd.common.plates import Plate

QUESTIONS = {
    "limit": ("How fast is my machine at most?", "What is fastest here, and by how much?"),
    "blocking": ("Which tile size, and why?",),
    "minibatches": ("Which batch size, and why?",),
    "cost": ("What does a framework cost?",),
}
"""What people come with, by the section that answers it."""

FRAMEWORKS = ("torch", "mxnet", "tensorflow", "jax")
"""Steps that are the textbook's own way in a framework."""

OWN = "numba-fused"
"""The step without a framework."""

DRAWN = ("python", "numpy", "numba", "torch")
"""Backends whose overhead is drawn."""

BOOKS = "numpy/elementwise"

CHOSEN = "(chosen)"
"""What follows a cache's name where its tile is the one in use."""


def story(sources: Sources) -> list[Section]:
    """The five screens."""
    return [loop(sources), blocking(sources), limit(sources), minibatches(sources), cost(sources)]


def overheads(sources: Sources) -> dict[str, models.Overhead]:
    """What a start costs each kernel of which there are several sizes: on one thread of the CPU, in float32."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in chain.from_iterable(findings.products(sources)):
        if record.threads == 1 and record.dtype == "float32" and record.device == "cpu":
            groups[record.kernel].append(record)
    return {kernel: models.overhead(mine) for kernel, mine in groups.items() if len({each.size for each in mine}) >= 2}


def loop(sources: Sources) -> Section:
    """Overhead and memory."""
    made = Section("loop", "Why is the loop slow?", "python -m benchmarks run --preset sizes", story=True)
    found = overheads(sources)
    slow = {kernel: each for kernel, each in found.items() if kernel.endswith("/elementwise")}
    if slow:
        worst = BOOKS if BOOKS in slow else max(slow, key=lambda kernel: slow[kernel].share)
        share, start = percent(100 * slow[worst].share), seconds(slow[worst].start_s)
        why = "It starts one small operation after another: " if slow[worst].share > 0.5 else ""
        made.say(
            f"{why}{worst} spends {share} % of its time on starting operations, {start} each.",
            [Fact(f"{worst}: % of the time spent starting", share), Fact(f"{worst}: a start", start)],
        )
        shown = {kernel: each for kernel, each in found.items() if kernel.split("/")[1] in ("elementwise", "columnwise", "full")}
        costs = bars.overhead({kernel: shown[kernel] for kernel in sorted(shown) if kernel.split("/")[0] in DRAWN})
        made.draw(costs, "What starting costs: the fewer operations a kernel starts, the less of its time goes there.")
    for limits in (run.machine.ceilings.get("cpu") for _, run in sources.products()):
        if limits and (supply := bars.supply(limits)) and (memory := limits.bandwidth("memory", 1)):
            taken, times = relations.balance("float32", limits.peak("float32", 1) or 0, memory.read_gbs)
            figures = digits(taken), digits(memory.read_gbs), digits(times)
            reason = "Memory is the other reason" if slow else "It waits for memory"
            made.say(
                f"{reason}: multiply-adds could take in {figures[0]} GB/s, memory brings {figures[1]}. To keep them busy, each"
                f" element that comes from memory must be used {figures[2]} times.",
                [Fact("GB/s that multiply-adds could take in", figures[0]), Fact("GB/s that memory brings", figures[1]),
                 Fact("times that each element must be used", figures[2])],
            )  # fmt: skip
            made.draw(supply, "What the multiply-adds of one thread could take in, and what each level of memory brings.")
            break
    return made


def blocking(sources: Sources) -> Section:
    """What lies where while a product is made, and the tiles that were tried."""
    made = Section("blocking", "What does blocking do?", "python -m benchmarks tune --kernel numba/tiled", story=True)
    if lead := findings.blocking(sources):
        made.say(lead.text, lead.facts)
    newest = max((run for _, run in sources.runs), key=lambda run: run.created, default=None)
    if newest and (found := drawn.blocks(newest.machine)):
        made.say(*_tiles_in_use(found, newest.machine))
        caption = "What numba/full keeps where, in float32: the larger the part that stays, the more often it is used there."
        made.draw(drawn.drawing(found), caption)
        made.tables.append(found.table())
    for _, run in sources.runs:
        _sweep(made, run)
    return made


def _tiles_in_use(found: drawn.Blocks, here: Machine) -> tuple[str, list[Fact]]:
    """Which tile sizes, and why."""
    parts = (found.b, found.a, found.c)
    facts = [Fact(f"{part.what}: rows x columns", f"{part.rows:,} x {part.columns:,}") for part in parts]
    facts += [Fact(f"{part.what}: bytes in {part.place}", part.share) for part in parts]
    uses = digits(2 * found.c.rows * found.c.columns / (found.c.rows + found.c.columns))
    facts.append(Fact("multiply-adds that use an element loaded into a register, on average", uses))
    text = (
        f"Which tile size? A block of b of {facts[0].text} elements stays in {found.b.place} ({found.b.share}) while all rows of"
        f" a pass by; {found.a.rows} rows of a stay in {found.a.place} ({found.a.share}) while the block passes by;"
        f" {facts[2].text} sums of c stay in registers. Why? What stays is read from near by: the larger it is, the more often an"
        " element is used before it has to come again, as long as it fits. An element in a register is used"
        f" {uses} times, on average."
    )
    return text, facts


def _sweep(made: Section, run: Run) -> None:
    """The tiles of a run that varies them: the best, those predicted, a picture and a table."""
    passed = [record for record in run.records if record.gflops and relations.has_tile(record)]
    if not passed or not swept(run):
        return
    some = passed[0]
    hierarchy = [Cache(**vars(level)) for level in run.machine.caches]
    predicted = {name: each.tile for name, each in predict(some.kernel, some.dtype, hierarchy, some.shape).items()}
    found = relations.tiled(passed, predicted, hierarchy)
    best = max(passed, key=relations.rate)
    title = tables.sides(best.tile or {})
    made.say(f"The best tile measured of {some.kernel}, {title}, reaches {digits(relations.rate(best))} GFLOPS.")
    shares = [(name, percent(each.percent_of_best)) for each in found for name in each.predicted]
    chosen = any(CHOSEN in name for name, _ in shares)
    for sentence, (name, share) in zip(tables.predictions(found), shares, strict=True):
        if CHOSEN in name or not chosen:
            made.say(sentence, [Fact(f"{some.kernel}, tile predicted for {name}: % of the best", share, source=some.size)])
    if any(pictures.edge(record) for record in passed):
        made.draw(pictures.tile_plate(passed, predicted), f"{some.kernel} over its tile sizes, {some.size}, {some.dtype}.")
    made.tables.append(tables.tiling(found).captioned(f"tiles of {some.kernel}"))


def limit(sources: Sources) -> Section:
    """What the machine does at most, what is fastest on it, the roofline and rates over size."""
    made = Section("limit", "How near is that to the limit?", "python -m benchmarks run", story=True)
    if found := findings.fastest(sources):
        made.say(found.text, found.facts)
        top = max(chain.from_iterable(findings.products(sources)), key=relations.rate)
        if top.percent_of_peak:
            share = percent(top.percent_of_peak)
            text = f"{top.label} reaches {share} % of what multiply-adds from registers reached in the same run."
            made.say(text, [Fact(f"{top.kernel}: % of the peak", share, source=top.title)])
    for machine in findings.machines(sources):
        made.say(machine.text, machine.facts)
    if drawing := _roofline(sources):
        made.draw(
            drawing,
            "The roofline: the dashed line is what multiply-adds reach, each slope what a level of memory brings. A kernel whose"
            " operands come from a level stays below that slope; to use each byte more often moves it to the right. A grey point"
            " shows its name under the pointer.",
        )
    for _, run in sources.products():
        for where, plate in over_size(run):
            made.draw(plate, f"GFLOPS over the size, {where}, with intervals. Where a cache is full, three matrices fill it.")
    return made


def _roofline(sources: Sources) -> Plate | None:
    """That of the run with the most kernels, on one thread of the CPU."""
    found: list[tuple[int, Plate]] = []
    for _, run in sources.products():
        limits = run.machine.ceilings.get("cpu")
        mine = [
            each for each in run.records if each.gflops and each.threads == 1 and each.device == "cpu" and each.dtype in ITEMSIZE
        ]
        if not limits or not mine:
            continue
        dtypes, sizes = [each.dtype for each in mine], [each.size for each in mine]
        dtype = max(sorted(set(dtypes)), key=dtypes.count)
        largest: dict[str, Record] = {}
        for each in mine:
            if each.dtype == dtype and (each.flops or 0) > (largest[each.kernel].flops or 0 if each.kernel in largest else -1):
                largest[each.kernel] = each
        shown = list(largest.values())
        named = [each.kernel for each in shown if findings.is_peer(each) or each.backend == "numba" or each.kernel == BOOKS]
        found.append((len(shown) * 100 - len(set(sizes)), roofline(shown, limits, named)))
    return max(found, key=lambda each: each[0])[1] if found else None


def minibatches(sources: Sources) -> Section:
    """Loss against examples and time, and the batch size that is first at the floor."""
    made = Section("minibatches", "Why minibatches?", findings.TRAIN, story=True)
    if lead := findings.batch_size(sources):
        made.say(lead.text, lead.facts)
    if rows := [row for row in sources.findings.get("batch-size", {}).get("rows", ()) if row[3]]:
        made.say(*_why_that_size(rows))
    for name, draw, caption in (
        ("book", book.draw, "Loss of the textbook's runs, on its scale; bands are intervals of the loss, bars at"
         " the end those of the time. By examples, small batches step more often; by time, what a step costs decides."),
        ("batch-size", batch_size.draw, "What an epoch costs, how many epochs are needed, and the product of"
         " both, with intervals of what was timed."),
    ):  # fmt: skip
        if found := sources.findings.get(name):
            draw_experiment(made, name, draw, found, caption)
    return made


def _why_that_size(rows: list[Any]) -> tuple[str, list[Fact]]:
    """Why the batch size that is first is neither the least nor the largest."""
    first = min(rows, key=lambda row: row[1] * row[3])
    (one, pace, _, few), (full, fast, _, many) = rows[0], rows[-1]
    figures = [seconds(pace), seconds(fast), f"{few:g}", f"{many:g}"]
    named = [f"batch {one}: an epoch", f"batch {full}: an epoch", f"batch {one}: epochs needed", f"batch {full}: epochs needed"]
    facts = [Fact(what, text, source="experiment batch-size") for what, text in zip(named, figures, strict=True)]
    text = (
        f"Which batch size, and why? With batches of {one} an epoch takes {figures[0]}, and {figures[2]} are needed; with batches"
        f" of {full} it takes {figures[1]}, and {figures[3]} are needed. The time to the floor is the product of both: least at"
        f" {first[0]}."
    )
    return text, facts


def draw_experiment(
    made: Section, name: str, draw: Callable[[dict[str, Any]], Plate], found: dict[str, Any], caption: str
) -> None:
    """Add an experiment's picture to a section.

    Raises
    ------
    UsageError
        If it lacks the figures that the picture shows.
    """
    try:
        made.draw(draw(found), caption)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"experiment {name}: its figures cannot be drawn ({reason}); run the experiment again") from None


def cost(sources: Sources) -> Section:
    """What a step costs a framework before it computes anything, beside the step without one."""
    made = Section("cost", "What does a framework cost?", "python -m benchmarks run --workload sgd", story=True)
    for run in _trained(sources):
        mine = [each for each in run.records if each.workload == "sgd" and each.median_s]
        for framework in FRAMEWORKS:
            said, facts = _times(mine, framework)
            if said:
                made.say(said, facts)
        made.draw(
            training.steps(mine, (OWN, "numpy", *FRAMEWORKS)),
            "Time of a step over the batch size. Where a line is flat, a step costs the same whatever it computes: overhead.",
        )
        made.tables.append(costs.overhead(run))
    return made


def _trained(sources: Sources) -> list[Run]:
    """The runs that have epochs of SGD, that of the frameworks among them."""
    runs = [run for _, run in sources.runs]
    if sources.columns and sources.columns[1] and sources.columns[1] not in runs:
        runs.append(sources.columns[1])
    return [run for run in runs if any(each.workload == "sgd" and each.median_s for each in run.records)]


def _times(records: list[Record], framework: str) -> tuple[str, list[Fact]]:
    """How much longer a framework's step takes, at the least batch size and at the largest."""
    ours, theirs = (
        {each.shape["batch"]: each for each in records if each.kernel == name and each.threads == 1} for name in (OWN, framework)
    )
    shared = sorted(set(ours) & set(theirs))
    if not shared and theirs:
        return _times_alone(framework, theirs)
    if not shared:
        return "", []
    facts, parts = [], []
    for batch in dict.fromkeys((shared[0], shared[-1])):
        one, other = ours[batch], theirs[batch]
        a, b = ((each.median_s or 0) / training.steps_of(each) for each in (one, other))
        facts += [Fact(f"{OWN}, batch {batch}: a step", seconds(a), source=one.title),
                  Fact(f"{framework}, batch {batch}: a step", seconds(b), source=other.title),
                  Fact(f"{framework} over {OWN}, batch {batch}", digits(b / a), source=other.title)]  # fmt: skip
        parts.append(f"at batch {batch} a step takes {seconds(b)} where {OWN} takes {seconds(a)}, {digits(b / a)} times as long")
    return f"{framework}: {'; '.join(parts)}.", facts


def _times_alone(framework: str, theirs: dict[int, Record]) -> tuple[str, list[Fact]]:
    """A framework's time a step, where nothing was measured beside it."""
    facts = [
        Fact(f"{framework}, batch {batch}: a step", seconds((each.median_s or 0) / training.steps_of(each)), source=each.title)
        for batch, each in sorted(theirs.items())
    ]
    steps = (f"{fact.text} at batch {batch}" for batch, fact in zip(sorted(theirs), facts, strict=True))
    return f"{framework}: a step takes {', '.join(steps)}.", facts
