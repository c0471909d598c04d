"""Where the choices inside `numba/full` change: constants of `kernels.packed.choices` beside what this machine says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, log
from statistics import median
from typing import Any

import numpy as np

from benchmarks.inside.stages import NEVER, alternate
from kernels.arrays import aligned_zeros
from kernels.cpu.tiles import ITEMSIZE
from kernels.cpu.vectors import vectors
from kernels.packed.gemm import compiled

TURNS, TURN_S = 8, 4e-3


@dataclass(frozen=True)
class Rule:
    """A choice: what it goes by, its constant, a product for each of a grid of values, and plans' changes for either side."""

    constant: str
    asks: str
    grid: tuple[int, ...]
    shape: Callable[[int], tuple[int, int, int]]
    before: dict[str, int]
    after: dict[str, int]
    threads: int = 1
    offset: int = 0


def rules(dtype: str, threads: int) -> list[Rule]:
    """The choices that a shape decides."""
    size, one_and_a_half = ITEMSIZE[dtype], vectors().whole_lanes(ITEMSIZE[dtype]) * 3 // 2
    edges, wide = (32, 48, 64, 80, 96, 112, 128, 160, 192, 256), (384, 448, 512, 640, 768, 896, 1024)
    made = [
        Rule("straddling_bytes", "bytes of a b across cache lines from which it is packed", tuple(n * n * size for n in edges),
             lambda bytes_: (round((bytes_ / size) ** 0.5),) * 3,
             {"straddling_bytes": NEVER}, {"straddling_bytes": -1}, offset=16),
        Rule("rows_to_pack_for", "rows of a from which a scattered b is packed", (8, 16, *edges), lambda m: (m, 1024, 1024),
             {"rows_to_pack_for": NEVER}, {"rows_to_pack_for": 0}),
        Rule("direct_bytes", "bytes of an aligned b from which a scattered one is packed", tuple(n * n * size for n in edges),
             lambda bytes_: (256, round((bytes_ / size) ** 0.5), round((bytes_ / size) ** 0.5)),
             {"direct_bytes": NEVER}, {"direct_bytes": -1, "scattered_bytes": -1, "rows_to_pack_for": 0}),
        Rule("l3_from_bytes", "bytes of a kc panel of a from which a block of b is in L3", tuple(n * n * size for n in wide),
             lambda bytes_: (round((bytes_ / size) ** 0.5),) * 3, {"l3_from_bytes": NEVER}, {"l3_from_bytes": 0}, offset=16),
        Rule("dot_extra", "a third of the depth from which columns of a vector and a half are dot products, not tiles",
             (4, 8, 16, 24, 32, 48, 64, 96, 128), lambda extra: (300, 3 * extra, one_and_a_half),
             {"dot_extra": NEVER}, {"dot_extra": -NEVER}),
    ]  # fmt: skip
    if threads > 1:
        made.append(
            Rule("serial", f"multiply-adds from which {threads} threads pay", tuple(n**3 for n in edges),
                 lambda work: (round(work ** (1 / 3)),) * 3, {"serial": NEVER}, {"serial": 0}, threads=threads)
        )  # fmt: skip
    return made


@dataclass(frozen=True)
class Crossover:
    """What was found of a rule: how many times as fast the later choice is, by value, and where it begins to pay."""

    rule: Rule
    used: int
    gains: dict[int, float]

    @property
    def measured(self) -> int | None:
        """The value that loses least, as a threshold: below it the one choice is taken, from it on the other."""
        values = [*self.gains, None]
        losses = [
            sum(max(0.0, gain) for gain in logs[:place]) + sum(max(0.0, -gain) for gain in logs[place:])
            for logs in [[log(gain) for gain in self.gains.values()]]
            for place in range(len(values))
        ]
        return values[losses.index(min(losses))]


def measure(dtype: str, threads: int, advance: Callable[[str], None]) -> Iterator[Crossover]:
    """Alternate both choices at each value of each rule."""
    plan, random = compiled(np.dtype(dtype)).plan, np.random.default_rng(0)

    def operand(rows: int, columns: int, offset: int) -> Any:
        elements = aligned_zeros((rows * columns + offset,), dtype)[offset:]
        elements[...] = random.standard_normal(elements.shape)
        return elements.reshape(rows, columns)

    for rule in rules(dtype, threads):
        gains = {}
        for value in rule.grid:
            m, n, p = rule.shape(value)
            a, b = operand(m, n, 0), operand(n, p, rule.offset // ITEMSIZE[dtype])
            variants = [(plan._replace(**rule.before), 1), (plan._replace(**rule.after), rule.threads)]
            before, after = alternate(variants, a, b, TURNS, TURN_S, advance)
            gains[value] = exp(median(log(y / x) for x, y in zip(before, after, strict=True)))
        yield Crossover(rule, getattr(plan, rule.constant), gains)
