"""Workers: threads that join a product if they come in time, and are never waited for if they do not.

A parallel loop of OpenMP ends when each of its threads has run. Where the machine has put one to sleep, or another program holds
its processor, that takes milliseconds, many times the product. Here the caller opens a latch, does tasks (see
`kernels.jit.tasks`) and closes the latch when none is left. Workers that entered by then finish what they have begun; the others
find it closed.

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
from kernels.jit.atomics import compare_exchange, store, yield_processor
from kernels.jit.caching import cached, inner
from kernels.jit.pointers import call, call_int
from kernels.jit.records import layout_of, offset_of, record_at
from kernels.jit.tasks import APART
from kernels.packed.pool.clock import microseconds
from kernels.packed.pool.latch import close_and_wait, enter, is_open, leave, open_latch
from kernels.packed.pool.wake import SLEEPER, SLEEPER_BYTES, prepare, sleep, sleeps, wake

STATE = (
    "serve",  # address of the function that each thread calls
    "workspace",  # which it is given
    "threads",  # of the product, with the caller's
    "number",  # of the product, counted up
    "taken",  # whether a product has the workers: a word for atomic operations
    "started",  # how many workers there are
    "wanted",  # the most threads that were wanted so far
    "get_num_threads",  # address of numba's function
    "last",  # when a product last found the workers asleep, in microseconds
    "work",  # of all products that did so, each soon after the other
    "seconds",  # what the clock writes
    "nanoseconds",
)
"""Fields of a pool's state, apart from its latch: it lies `APART` bytes from the pool's address."""

state_layout = layout_of(STATE)
_state_at, RECORD = record_at(state_layout), state_layout(np.dtype(np.int64))

TAKEN, CLOCK = (APART + offset_of(RECORD, name) for name in ("taken", "seconds"))
"""Bytes from the pool's address to words of its state."""

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
def state_of(pool: int) -> Any:
    """The record of a pool's state."""
    return _state_at(pool + APART, pool)


@inner
def threads_available(pool: int) -> int:
    """As many threads as numba is set to, with the caller's, or as there are; 0 if so many were never wanted before."""
    state = state_of(pool)
    if state.get_num_threads == 0:
        return 0
    threads = call_int(state.get_num_threads)
    return min(threads, 1 + state.started) if threads <= state.wanted else 0


@inner
def worth_waking(pool: int, work: int) -> bool:
    """Whether workers pay for a product of so much work: they are awake, or it gains more than waking them takes."""
    if not sleeps(sleeper(pool, 1)):
        return True
    state, now = state_of(pool), microseconds(pool + CLOCK)
    work += state.work if now - state.last < SOON_US else 0
    state.last, state.work = now, work
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
    state = state_of(pool)
    state.serve, state.workspace, state.threads = serve, workspace, threads
    state.number += 1
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
    state, served, looks = state_of(pool), np.int64(-1), 0
    while looks < LINGER:
        looks += 1
        if looks % LOOKS == 0:
            yield_processor()
        if is_open(pool) and state.number != served and enter(pool):
            served = state.number
            if thread < state.threads:
                call(state.serve, state.workspace, thread)
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
        (self._state,) = self._memory[APART : APART + RECORD.itemsize].view(RECORD)
        self._sleepers = self._memory[SLEEPERS:].reshape(threads - 1, SLEEPER_BYTES)[:, : SLEEPER.itemsize].view(SLEEPER)[:, 0]
        self.address = self._memory.ctypes.data
        self.forget()

    def forget(self) -> None:
        """There are no workers: they do not come along into the child of a process."""
        self._memory[:] = 0
        self._growing = threading.Lock()

    def grow(self, threads: int) -> int:
        """Start workers until there are so many threads with the caller's, or the system has no more; as many as there are."""
        state, work = self._state, working()
        with self._growing:
            # There is none before numba has launched its threads.
            state["get_num_threads"] = address_of_symbol("get_num_threads") or 0
            while state["started"] < threads - 1:
                state["started"] += 1  # before it starts: if interrupted in between, the next one has a number of its own
                try:
                    threading.Thread(target=self._work, args=(work, int(state["started"])), daemon=True).start()
                except RuntimeError:  # no thread can be started; a product tries again when more are wanted
                    state["started"] -= 1
                    break
            state["wanted"] = max(state["wanted"], threads)
            return min(threads, 1 + int(state["started"]))

    def _work(self, work: Any, thread: int) -> None:
        prepare(self._sleepers[thread - 1 : thread])
        work(self.address, thread)
