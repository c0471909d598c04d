"""What the differences between the three columns are made of, a sentence each, from the figures."""

from __future__ import annotations

from itertools import permutations

from benchmarks.frameworks.columns import Product, Trained
from minisgd.common.units import digits, seconds

NOTABLE = 1.25
"""A ratio below this says more of the machine's noise than of the way of timing."""


def of_product(row: Product) -> str | None:
    """Why the textbook's way of timing a product finds another figure than the measurement; None if nothing is to be said."""
    if row.its_way is None or row.measured is None:
        return None
    name, ratio = f"{row.framework} {row.rung}", row.measured / max(row.its_way, 1e-12)
    figures = f"{digits(row.its_way)} in the textbook's way, {digits(row.measured)} measured"
    if 1 / NOTABLE < ratio < NOTABLE:
        return f"{name}: {figures}. The two agree: its one shot is long beside whatever it starts with."
    if ratio < 1:
        cause = (
            "nothing waits for the result, so that the clock shows how soon the calls return"
            if (row.framework, row.rung) == ("mxnet", "block")
            else "one shot of a busy machine's is not its median"
        )
        return f"{name}: {figures}. {cause[0].upper()}{cause[1:]}."
    cause = {
        "full": "the one shot is the first call of its kind: it loads code, allocates and starts threads",
        "block": "the first call on slabs pays for what the second one finds ready",
    }.get(row.rung, "the first pass pays for what later ones find ready, and other work on the machine falls on the one shot")
    return f"{name}: {figures}, {digits(ratio)} times. {cause[0].upper()}{cause[1:]}."


def of_training(row: Trained) -> str | None:
    """The same of an epoch."""
    if row.its_way is None or row.seconds is None:
        return None
    loss, epoch = row.its_way
    figures = f"{seconds(epoch)} an epoch in the textbook's way, {seconds(row.seconds)} measured"
    cause = "its data loader makes a batch of single examples, shuffles inside the clock, and the first epoch is not warm"
    if epoch < row.seconds * NOTABLE:
        cause = "the framework's own work a step is nearly all, whoever loads the data"
    ends = f" Loss {loss:.3f} and {row.loss:.3f}: other orders and first weights." if row.loss is not None else ""
    return f"{row.framework} {row.run}: {figures}. {cause[0].upper()}{cause[1:]}.{ends}"


def turned_over(rows: list[Product]) -> list[str]:
    """Where the textbook's way ranks two frameworks the other way round."""
    full = [(row.framework, row.its_way, row.measured) for row in rows if row.rung == "full" and row.its_way and row.measured]
    return [
        f"In the textbook's way {one} does {digits(told)} GFLOPS where {other} does {digits(less)};"
        f" measured, {one} does {digits(measured)} and {other} {digits(more)}."
        for (one, told, measured), (other, less, more) in permutations(full, 2)
        if told > less and measured < more
    ]
