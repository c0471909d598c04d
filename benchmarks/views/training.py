"""Training in pictures: loss against examples and against seconds, batch sizes, and what a step costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from benchmarks.harness.records import Record
from benchmarks.views.plates import GREY, INK, Label, Panel, Plate, colors, plain
from minisgd.common.pictures import series, tip
from minisgd.common.units import digits, seconds

BOOKS_LOSSES = (0.22, 0.35)
"""What the textbook's figure shows."""

SIDE = (4.4, 3.5)


def losses(data: dict[str, Any]) -> Plate:
    """Loss of the textbook's runs on its scale: against examples, and against seconds by our step and by the framework's."""
    styles = colors([run["name"] for run in data["runs"]])
    low, top = _scale(data)

    def draw(axes: Axes, x_of: Mapping[str, Sequence[float]], title: str, write: Callable[[float], str]) -> list[Label]:
        labels = []
        for run in data["runs"]:
            name, x, y = run["name"], x_of[run["name"]], run["losses"][1:]  # a log axis has no place for nothing seen
            color, marker = styles[name]
            axes.plot(x, y, color=color, marker=marker, markersize=3.5, linewidth=1.2, gid=series(name))
            seen = [(one, other) for one, other in zip(x, y, strict=True) if other <= top]
            told = [f"{name}: {other:.4f} after {write(one)}" for one, other in seen]
            tip(axes, [one for one, _ in seen], [other for _, other in seen], told)
            labels.append(Label(x[-1], min(y[-1], top), name, color, name, edge=True))
        if data["floor"]:
            axes.axhline(data["floor"], color=GREY, linewidth=0.8, linestyle="--")
        axes.set(xscale="log", ylim=(low, top), ylabel="loss")
        plain(axes, "x", write=write)
        axes.set_title(title, loc="left", fontsize=10)
        return labels

    examples = {run["name"]: run["examples"][1:] for run in data["runs"]}
    panels = [Panel(partial(draw, x_of=examples, title="by examples seen", write="{:,.0f}".format), SIDE)]
    for place, step in enumerate(("numba-fused", "torch")):
        paces = {run["name"]: list(run["seconds_an_epoch"].values())[place][0] for run in data["runs"]}
        spent = {name: [paces[name] * seen / data["n"] for seen in examples[name]] for name in paces}
        panels.append(Panel(partial(draw, x_of=spent, title=f"by time, {step}", write=duration), SIDE))
    return Plate(panels, f"Gradient descent, SGD and minibatches on {data.get('problem', 'the data')}", 3)


def duration(value: float) -> str:
    """A tick of an axis of time: as many digits as it has, and the unit."""
    unit, name = next((each for each in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")) if value >= 0.99 * each[0]), (1e-9, "ns"))
    return f"{value / unit:.3g} {name}"


def _scale(data: dict[str, Any]) -> tuple[float, float]:
    """The textbook's scale where the losses are on it, else theirs."""
    low, high = BOOKS_LOSSES
    ends = [run["losses"][-1] for run in data["runs"]]
    if all(low < each < high for each in ends):
        return low, high
    first = max(max(run["losses"][1:]) for run in data["runs"])
    least = min(min(run["losses"]) for run in data["runs"])
    return least - 0.1 * (first - least), first


def batch_sizes(data: dict[str, Any]) -> Plate:
    """Over the batch size: what an epoch takes, how many are needed, and their product, the time to the floor."""
    rows = data["rows"]
    reached = [row for row in rows if row[3]]
    spent = [row[1] * row[3] for row in reached]

    def draw(axes: Axes, x: Sequence[int], y: Sequence[float], title: str, told: Sequence[str]) -> list[Label]:
        best = min(range(len(y)), key=y.__getitem__) if y else None
        axes.loglog(x, y, color="#0072b2", marker="o", markersize=4, gid=series("numba-fused"))
        tip(axes, x, y, told)
        axes.set_xlabel("batch size")
        axes.set_title(title, loc="left", fontsize=10)
        axes.margins(0.12, 0.2)
        plain(axes, "x", x)
        plain(axes, "y")
        if best is None:
            return []
        axes.plot(x[best], y[best], "o", markersize=11, markerfacecolor="none", markeredgecolor=INK)
        return [Label(x[best], y[best], f"least: {told[best]}")]

    def panel(x: Sequence[int], y: Sequence[float], title: str, told: Sequence[str]) -> Panel:
        return Panel(lambda axes: draw(axes, x, y, title, told), SIDE)

    sizes, paces = [row[0] for row in rows], [row[1] for row in rows]
    needed = [row[3] for row in reached]
    at = [row[0] for row in reached]
    return Plate(
        [
            panel(sizes, [1e6 * each for each in paces], "microseconds an epoch",
                  [f"batch {size}, {seconds(each)}" for size, each in zip(sizes, paces, strict=True)]),
            panel(at, needed, "epochs until 1 % above the floor",
                  [f"batch {size}, {each:g} epochs" for size, each in zip(at, needed, strict=True)]),
            panel(at, [1e6 * each for each in spent], "microseconds until then: the product of both",
                  [f"batch {size}, {seconds(each)}" for size, each in zip(at, spent, strict=True)]),
        ],
        "What a batch size costs and brings", 3,
    )  # fmt: skip


def steps(records: Sequence[Record], colored: Sequence[str]) -> Plate:
    """Microseconds a step over the batch size, a line for each implementation; those that are not coloured are grey."""
    names = list(dict.fromkeys(each.kernel for each in records))
    styles = colors([name for name in names if name in colored])

    def draw(axes: Axes) -> list[Label]:
        labels = []
        for name in names:
            mine = sorted((each for each in records if each.kernel == name), key=lambda each: each.shape["batch"])
            x = [each.shape["batch"] for each in mine]
            spans = [(each.median_s or 0, *each.interval_s) for each in mine]
            y, low, high = zip(
                *([1e6 * end / steps_of(each) for end in span] for span, each in zip(spans, mine, strict=True)), strict=True
            )
            color, marker = styles.get(name, (GREY, "."))
            reach = [[a - b for a, b in zip(y, low, strict=True)], [b - a for a, b in zip(y, high, strict=True)]]
            drawn = axes.errorbar(x, y, reach, color=color, marker=marker, markersize=4, linewidth=1.3, capsize=2)
            for part in (drawn.lines[0], *drawn.lines[1], *drawn.lines[2]):
                part.set_gid(series(name))
            told = [f"{each.title}: {seconds(value / 1e6)} a step" for each, value in zip(mine, y, strict=True)]
            tip(axes, x, y, told)
            labels.append(Label(x[-1], y[-1], name, color, name, edge=True))
        axes.set(xscale="log", yscale="log", xlabel="batch size", ylabel="microseconds a step")
        plain(axes, "x", [each.shape["batch"] for each in records])
        plain(axes, "y")
        return labels

    return Plate([Panel(draw, (5.4, 4.2))])


def steps_of(record: Record) -> int:
    """Steps of an epoch."""
    return -(-record.shape["n"] // record.shape["batch"])


def noise(data: dict[str, Any]) -> Plate:
    """Deviation of a minibatch's gradient over the batch size, and the slope that the theory has."""

    def draw(axes: Axes) -> list[Label]:
        sizes, found = data["sizes"], data["deviations"]
        claim = [found[0] * (each / sizes[0]) ** -0.5 for each in sizes]
        axes.loglog(sizes, claim, color=GREY, linestyle=":")
        axes.loglog(sizes, found, "o", color="#0072b2", markersize=5)
        tip(axes, sizes, found, [f"batch {size}: {value:.3g}" for size, value in zip(sizes, found, strict=True)])
        axes.set(xlabel="batch size", ylabel="deviation of the gradient")
        plain(axes, "x", sizes)
        plain(axes, "y")
        middle = len(sizes) // 2
        return [Label(sizes[middle], found[middle], f"slope {digits(data['slope'])}; the claim is -1/2")]

    return Plate([Panel(draw, SIDE)])
