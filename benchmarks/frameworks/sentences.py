"""What the differences between the three columns are made of, a sentence each, from the figures."""

from __future__ import annotations

from itertools import permutations

from benchmarks.frameworks.columns import Columns, Product, Trained
from minisgd.common.units import digits, seconds
from minisgd.published import CORRECTION

NOTABLE = 1.25
"""A ratio below this says more of the machine's noise than of the way of timing."""

UNWAITED = {("mxnet", "block")}
"""Cells that do not wait for their result."""


def said(found: Columns) -> list[str]:
    """All of them, the ranking first."""
    each = [*map(of_product, found.products), *map(of_training, found.training)]
    return [*turned_over(found.products), *filter(None, each)]


def of_product(row: Product) -> str | None:
    """What lies between the textbook's figure of a product and the measured one; None if a figure is missing."""
    if not (row.its_way and row.again and row.measured):
        return None
    cold, rest = row.again / row.its_way, row.measured / (row.again * CORRECTION)
    said = f"{row.framework} {row.rung}: {digits(row.its_way)} GFLOPS in the textbook's way, {digits(row.measured)} measured."
    if cold >= NOTABLE:
        said += f" The first shot is cold: the same cell run once more does {digits(row.again)}, {digits(cold)} times as much."
    elif cold <= 1 / NOTABLE:
        said += f" One shot says little: the same cell run once more does {digits(row.again)}."
    if (row.framework, row.rung) in UNWAITED:
        return f"{said} Neither shot waits for the result: the clock shows how soon the calls return."
    if rest >= NOTABLE:
        return f"{said} Between the second shot and the measurement, which warms up and waits, lie {digits(rest)} times."
    if rest <= 1 / NOTABLE:
        return f"{said} The measurement is {digits(1 / rest)} times below the second shot, which is one of many."
    shot = "second shot" if cold >= NOTABLE else "shots"
    return f"{said} The {shot} and the measurement agree to within {NOTABLE} times, with 0.0335 for 0.03 GFLOP."


def of_training(row: Trained) -> str | None:
    """The same of an epoch: what the data loader takes, what the step takes, and what is left."""
    if row.its_way is None or row.loading is None or row.seconds is None:
        return None
    loss, epoch = row.its_way
    said = (
        f"{row.framework} {row.run}: {seconds(epoch)} an epoch in the textbook's way, {seconds(row.seconds)} measured."
        f" Its data loader alone takes {seconds(row.loading)}"
    )
    left = epoch - row.loading - row.seconds
    if abs(left) > (1 - 1 / NOTABLE) * epoch:
        more = f"{seconds(left)} are of neither" if left > 0 else f"the two are {seconds(-left)} more than the clock saw"
        said += f"; {more}."
    else:
        said += "; with the measured steps that is nearly all."
    return f"{said} Loss {loss:.3f} and {row.loss:.3f}." if row.loss is not None else said


def turned_over(rows: list[Product]) -> list[str]:
    """Where the textbook's way ranks two frameworks the other way round."""
    full = [(row.framework, row.its_way, row.measured) for row in rows if row.rung == "full" and row.its_way and row.measured]
    return [
        f"In the textbook's way {one} does {digits(told)} GFLOPS where {other} does {digits(less)};"
        f" measured, {one} does {digits(measured)} and {other} {digits(more)}."
        for (one, told, measured), (other, less, more) in permutations(full, 2)
        if told > less and measured < more
    ]
