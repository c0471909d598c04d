"""What is tried of a kernel in a process of its own: products beside guarded memory, and from several threads at once."""

from __future__ import annotations

from functools import partial

from kernels import registry
from kernels.registry import Kernel
from kernels.testing import layouts
from kernels.testing.guarded import guarded
from kernels.testing.layouts import Array, Layout
from kernels.testing.products import wrong
from kernels.testing.trials import Trial, at_once, on_each_count

SHAPES = [(1, 1, 1), (7, 5, 3), (17, 33, 9), (0, 3, 2), (3, 0, 2), (3, 2, 0), (131, 33, 20), (19, 300, 33)]
"""The last two are deeper and longer than the blocks that a kernel may cut a product into."""

SHARED = (67, 61, 71)


def beside(name: str, dtype: str) -> str | None:
    """Products of matrices that end, or begin, where the process's memory does; the inputs cannot be written."""
    for shape in SHAPES:
        for order in (layouts.c, layouts.fortran):
            for last in (True, False):
                read, written = (partial(_lay, order, last, writable) for writable in (False, True))
                if found := wrong(registry.find(name), dtype, shape, (read, read, written)):
                    return found
    return None


def _lay(order: Layout, last: bool, writable: bool, x: Array) -> Array:
    return guarded(order(x), last, writable)


def together(name: str, dtype: str) -> str | None:
    """Products by several of a caller's threads at once, each with operands of its own."""

    def call(seed: int) -> str | None:
        found = (wrong(registry.find(name), dtype, SHARED, (layouts.c,) * 3, seed) for _ in range(3))
        return next(filter(None, found), None)

    return at_once(call)


def counts(name: str, dtype: str) -> str | None:
    """Products on several counts of threads."""
    return on_each_count(lambda: wrong(registry.find(name), dtype, SHARED, (layouts.c,) * 3))


TRIALS = {"beside guarded memory": beside, "from several threads at once": together, "on several threads": counts}
"""What is tried, in words."""


def trials(kernel: Kernel, dtype: str) -> list[Trial]:
    """Those that a kernel is put to."""
    chosen = {what: function for what, function in TRIALS.items() if kernel.threads or function is not counts}
    return [Trial(kernel.name, dtype, what, function) for what, function in chosen.items()]
