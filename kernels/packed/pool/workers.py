"""Workers: threads that join a product if they come in time, and are never waited for if they do not.

A parallel loop of OpenMP ends when each of its threads has run. Where the machine has put one to sleep, or another program holds
its processor, that takes milliseconds, many times the product. Here the caller opens a latch, does tasks (see `tasks`) and closes
the latch when none is left. Workers that entered by then finish what they have begun; the others find it closed.

Workers look at the latch for a while before they sleep: a product that follows soon finds them awake. Waking one takes longer
than a small product, which is then made without.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
from llvmlite.binding import address_of_symbol
from numba import types

from kernels.arrays import aligned_zeros
from kernels.jit.caching import cached, inner
from kernels.jit.memory import whole, write
from kernels.jit.pointers import ask, call
from kernels.packed.pool.atomics import compare_exchange, store, yield_processor
from kernels.packed.pool.clock import microseconds
from kernels.packed.pool.latch import close_and_wait, enter, is_open, leave, open_latch
from kernels.packed.pool.tasks import APART
from kernels.packed.pool.wake import SLEEPER_BYTES, prepare, sleep, sleeps, wake

SERVE, WORKSPACE, THREADS, NUMBER, TAKEN, STARTED, WANTED, ASK, LAST, WORK, CLOCK = range(APART, APART + 11 * 8, 8)
"""Bytes from the pool's address, where its latch is, to the function that each thread calls, its workspace, the threads with the
caller's, and the product's number; to whether a product has the workers, how many were started, how many threads were wanted at
most, and where numba's function is that tells the number of threads; and to when a product last found them asleep, the work of
all that did so one soon after the other, and what the clock writes."""

SLEEPERS = 2 * APART
"""Bytes from the pool's address to the first worker's sleeper."""

WAKE, SOON_US = 4_000_000, 1_000
"""Work, in multiply-adds, that gains about the 50 us that waking a worker takes: of one product, or of several, each so soon
after the other that more will follow."""

LINGER = 1_000_000
"""Looks at the latch before a worker sleeps: some 3 ms, as OpenMP's threads wait."""

LOOKS = 100
"""At the latch before the processor is offered to others: the caller may be waiting for this very one."""


@inner
def threads_available(pool: int) -> int:
    """As many threads as numba is set to, with the caller's, or as there are; 0 if so many were never wanted before."""
    if whole(pool + ASK) == 0:
        return 0
    threads = ask(whole(pool + ASK))
    return min(threads, 1 + whole(pool + STARTED)) if threads <= whole(pool + WANTED) else 0


@inner
def worth_waking(pool: int, work: int) -> bool:
    """Whether workers pay for a product of so much work: they are awake, or it gains more than waking them takes."""
    if not sleeps(sleeper(pool, 1)):
        return True
    before, now = whole(pool + LAST), microseconds(pool + CLOCK)
    work += whole(pool + WORK) if now - before < SOON_US else 0
    write(pool + LAST, now)
    write(pool + WORK, work)
    return work >= WAKE


@inner
def acquire(pool: int) -> bool:
    """Have the workers for one's own, if no other product has them, until they are released."""
    return compare_exchange(pool + TAKEN, 0, 1)


@inner
def release(pool: int) -> None:
    """Leave the workers to the next product."""
    store(pool + TAKEN, 0)


@inner
def run(pool: int, serve: int, workspace: int, threads: int) -> None:
    """Call ``serve(workspace, thread)`` here as thread 0, and in each worker that comes in time; return when all are done."""
    write(pool + SERVE, serve)
    write(pool + WORKSPACE, workspace)
    write(pool + THREADS, threads)
    write(pool + NUMBER, whole(pool + NUMBER) + 1)
    open_latch(pool)
    for thread in range(1, threads):
        wake(sleeper(pool, thread))
    call(serve, workspace, 0)
    close_and_wait(pool)


@inner
def sleeper(pool: int, thread: int) -> int:
    """Address of a worker's sleeper."""
    return pool + SLEEPERS + (thread - 1) * SLEEPER_BYTES


@inner
def join_products(pool: int, thread: int) -> None:
    """Take part in each product that comes, until none has come for a while."""
    served, looks = np.int64(-1), 0
    while looks < LINGER:
        looks += 1
        if looks % LOOKS == 0:
            yield_processor()
        if is_open(pool) and whole(pool + NUMBER) != served and enter(pool):
            served = whole(pool + NUMBER)
            if thread < whole(pool + THREADS):
                call(whole(pool + SERVE), whole(pool + WORKSPACE), thread)
                looks = 0
            leave(pool)


@cache
def working() -> Any:
    """The compiled function ``work(pool, thread)``."""

    @cached(types.void(types.int64, types.int64), nogil=True)
    def work(pool: int, thread: int) -> None:
        """A worker's life, without end."""
        while thread > 0:
            join_products(pool, thread)
            sleep(sleeper(pool, thread))

    return work


class Pool:
    """This process's workers, and the latch that they enter by; one product at a time has them.

    Parameters
    ----------
    threads : int
        The most that there will be, with the caller's.
    """

    def __init__(self, threads: int) -> None:
        self._memory = aligned_zeros((SLEEPERS + (threads - 1) * SLEEPER_BYTES,), np.uint8, alignment=APART)
        self._words = self._memory[:SLEEPERS].view(np.int64)
        self._sleepers = self._memory[SLEEPERS:].view(np.int64).reshape(threads - 1, SLEEPER_BYTES // 8)
        self.address = self._memory.ctypes.data
        self.forget()

    def forget(self) -> None:
        """There are no workers: they do not come along into the child of a process."""
        self._memory[:] = 0
        self._growing = threading.Lock()

    def grow(self, threads: int) -> int:
        """Start workers until there are so many threads with the caller's, or the system has no more; as many as there are."""
        words, work = self._words, working()
        with self._growing:
            words[ASK // 8] = address_of_symbol("get_num_threads") or 0  # there is none before numba has launched its threads
            while words[STARTED // 8] < threads - 1:
                words[STARTED // 8] += 1  # before it starts: if interrupted in between, the next one has a number of its own
                try:
                    threading.Thread(target=self._work, args=(work, int(words[STARTED // 8])), daemon=True).start()
                except RuntimeError:  # no thread can be started; a product tries again when more are wanted
                    words[STARTED // 8] -= 1
                    break
            words[WANTED // 8] = max(words[WANTED // 8], threads)
            return min(threads, 1 + int(words[STARTED // 8]))

    def _work(self, work: Any, thread: int) -> None:
        prepare(self._sleepers[thread - 1])
        work(self.address, thread)
