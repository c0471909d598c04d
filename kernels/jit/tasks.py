"""Tasks shared out to threads one at a time, and waited for: a thread that the machine slows down simply takes fewer.

Tasks are numbered in an order in which each depends on earlier ones only, and are claimed in that order. So "as many are done
as come before this one" means that those are the ones, and whoever waits waits for tasks that some thread is already at: no
deadlock, however few threads there turn out to be.
"""

from __future__ import annotations

from kernels.jit.atomics import add, compare_exchange, load, store, yield_processor
from kernels.jit.caching import inner

APART = 128
"""Bytes between the two counters: on one cache line, or on two that are fetched together, they would slow each other."""

COUNTERS_BYTES = 2 * APART

LOOKS = 2_000
"""At what others have done before the processor is offered to them."""


@inner
def begin(counters: int) -> None:
    """Before the threads start: no task claimed, none done."""
    store(counters, 0)
    store(counters + APART, 0)


@inner
def claim(counters: int, end: int) -> int:
    """The next task's number, or -1 if that is not below `end`: the task is then left to whoever asks for it later."""
    task = load(counters)
    while task < end:
        if compare_exchange(counters, task, task + 1):
            return task
        task = load(counters)
    return -1


@inner
def finish(counters: int) -> None:
    """One more is done: what it wrote can be read by those who wait."""
    add(counters + APART, 1)


@inner
def wait(counters: int, done: int) -> None:
    """Until that many tasks are done; whoever does them may need this very processor."""
    looks = 0
    while load(counters + APART) < done:
        looks += 1
        if looks > LOOKS:
            yield_processor()
