"""A kernel and its peers measured in turns, block by block, with the machine's ceilings and libraries beside them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.gate import comparison, paired
from benchmarks.harness import cases, runs
from benchmarks.harness.machines import Blas, Ceilings
from benchmarks.harness.records import Case
from benchmarks.harness.workers import Worker
from kernels import Kernel


@dataclass
class Alternation:
    """A comparison on the way: what is finished is there whenever it is interrupted.

    Parameters
    ----------
    kernels : sequence of Kernel
        The first is compared with the others.
    cases : sequence of Case
        Of the first kernel, on one device.
    blocks : list of Block
        Those that are finished.
    limits : Ceilings, optional
        The best of all blocks.
    libraries : dict of str to Blas
        By kernel, where one is known.
    """

    kernels: Sequence[Kernel]
    cases: Sequence[Case]
    blocks: list[paired.Block] = field(default_factory=list)
    limits: Ceilings | None = None
    libraries: dict[str, Blas] = field(default_factory=dict)

    def measure(self, blocks: int, advance: Callable[[str], None], keep: Callable[[], None]) -> None:
        """Measure more blocks, calling `advance` before each case and `keep` after each block.

        Raises
        ------
        UsageError
            If this machine cannot be described.
        """
        device, threads = self.cases[0].device, sorted({case.threads for case in self.cases})
        sides = [paired.Side(each.name, lambda case, to=each: cases.with_kernel(case, to)) for each in self.kernels]  # type: ignore[misc]
        own, order = Worker(), random.Random(0)
        try:
            loaded = {blas.backend: blas for blas in runs.described(own).blas}
            if device == "cpu":
                self.libraries = {each.name: loaded[each.backend] for each in self.kernels if each.backend in loaded}
            for _ in range(blocks):
                self.limits = runs.raised(own, self.limits, device, threads)
                self.blocks.append(paired.block(sides, self.cases, order, lambda case: advance(case.title)))
                keep()
        finally:
            own.close()

    def compared(self) -> list[comparison.Compared]:
        """What the blocks show of each case that no side failed."""
        return comparison.compare(self.cases, self.blocks, self.kernels[0].name, self.limits, self.libraries)
