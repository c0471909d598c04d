"""Workspaces of numba/full whose parts lie apart, so that what is written beyond one of them is seen."""

from __future__ import annotations

import numpy as np

from kernels.jit.tasks import APART, COUNTERS_BYTES
from kernels.packed.gemm import workspace
from kernels.packed.plan import HEAD_BYTES, PLAN, PRODUCT_AT

MARGIN = 64 << 10
"""Bytes between what one thread has and what the next one has, of which each is poison."""

POISON = 0xFF
"""Of this many bytes each float is NaN: what is read before it was written shows in the product."""


class Guarded:
    """A workspace for so many threads with margins between them, all of it poisoned."""

    def __init__(self, plan, threads):
        self._plan, self._threads = plan, threads
        self.memory = workspace(plan._replace(own_bytes=plan.own_bytes + MARGIN), threads)
        self.memory[PLAN.itemsize :] = POISON
        self._plan_before = self.memory[:PRODUCT_AT].copy()

    def overrun(self):
        """Where something was written that no part of a product has a right to."""
        found = [] if np.array_equal(self.memory[:PRODUCT_AT], self._plan_before) else ["the plan"]
        start = HEAD_BYTES
        for thread in range(self._threads):
            counters = self.memory[start : start + COUNTERS_BYTES].reshape(-1, APART)
            end = start + COUNTERS_BYTES + self._plan.block_bytes + self._plan.own_bytes
            if np.any(counters[:, 8:] != POISON):
                found.append(f"below the block of thread {thread}")
            if np.any(self.memory[end : end + MARGIN] != POISON):
                found.append(f"beyond what thread {thread} has")
            start = end + MARGIN
        return found
