"""A latch: workers enter a product while it is open; who closed it waits until the last of them has left.

It is one word, whether it is open and twice the workers inside, so that a worker enters only while it is open.
"""

from __future__ import annotations

from kernels.jit.atomics import add, compare_exchange, load, store, yield_processor
from kernels.jit.caching import inner

OPEN, WORKER = 1, 2


@inner
def open_latch(latch: int) -> None:
    """Let workers in; all that was written before is theirs to read."""
    store(latch, OPEN)


@inner
def is_open(latch: int) -> bool:
    """Whether a worker may try to enter."""
    return load(latch) & OPEN != 0


@inner
def enter(latch: int) -> bool:
    """Enter, if it is open still."""
    word = load(latch)
    while word & OPEN:
        if compare_exchange(latch, word, word + WORKER):
            return True
        word = load(latch)
    return False


@inner
def leave(latch: int) -> None:
    """One worker fewer is inside; what it wrote can be read by who waits."""
    add(latch, -WORKER)


@inner
def close_and_wait(latch: int) -> None:
    """Let no worker in any more, and return when none is inside; one may need this very processor."""
    add(latch, -OPEN)
    while load(latch) != 0:
        yield_processor()
