"""Helpers: threads that join a product if they come in time, and are never waited for if they do not.

A parallel loop of OpenMP ends when each of its threads has run. Where the machine has put one to sleep, or another program holds
its processor, that takes milliseconds, many times the product. Here the caller opens a gate, does tasks (see `tasks`) and closes
the gate when none is left. Helpers that came in by then finish what they have begun; the others find it closed.

Helpers linger at the gate for a while before they sleep: a product that follows soon finds them awake.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types

from kernels.arrays import aligned_zeros
from kernels.caching import cached, inner
from kernels.numba_packed.bell import BELL_BYTES, hang, ring, sleep
from kernels.numba_packed.memory import whole, write
from kernels.numba_packed.pointers import call
from kernels.numba_packed.tasks import APART, add, counter, replace, set_counter, yield_now

OPEN, ENTRANT = 1, 2
"""The gate's word: whether it is open, and twice the helpers inside."""

SERVE, ROOM, THREADS, NUMBER = APART, APART + 8, APART + 16, APART + 24
"""Bytes from the gate's word to the function that helpers call, its workspace, the threads with the caller's, and the product's
number."""

BELLS = 2 * APART
"""Bytes from the gate's word to the first helper's bell."""

LINGER = 1_000_000
"""Looks at the gate before a helper sleeps: some 3 ms, as OpenMP's threads wait."""

LOOKS = 100
"""At the gate before the processor is offered to others: the caller may be waiting for this very one."""


@inner
def share(gate: int, serve: int, room: int, threads: int) -> None:
    """Call ``serve(room, thread)`` here as thread 0, and in each helper that comes in time; return when all are done."""
    write(gate + SERVE, serve)
    write(gate + ROOM, room)
    write(gate + THREADS, threads)
    write(gate + NUMBER, whole(gate + NUMBER) + 1)
    set_counter(gate, OPEN)
    for thread in range(1, threads):
        ring(bell_of(gate, thread))
    call(serve, room, 0)
    add(gate, -OPEN)
    while counter(gate) != 0:
        yield_now()


@njit
def bell_of(gate: int, thread: int) -> int:
    """Address of a helper's bell."""
    return gate + BELLS + (thread - 1) * BELL_BYTES


@inner
def enter(gate: int) -> bool:
    """Go in, if the gate is open."""
    word = counter(gate)
    while word & OPEN:
        if replace(gate, word, word + ENTRANT):
            return True
        word = counter(gate)
    return False


@inner
def linger(gate: int, thread: int) -> None:
    """Help with each product that comes, until none has come for a while."""
    served, looks = np.int64(-1), 0
    while looks < LINGER:
        looks += 1
        if looks % LOOKS == 0:
            yield_now()
        if counter(gate) & OPEN and whole(gate + NUMBER) != served and enter(gate):
            served = whole(gate + NUMBER)
            if thread < whole(gate + THREADS):
                call(whole(gate + SERVE), whole(gate + ROOM), thread)
                looks = 0
            add(gate, -ENTRANT)


@cache
def helping() -> Any:
    """The compiled function ``help_(gate, thread)``."""

    @cached(types.void(types.int64, types.int64), nogil=True)
    def help_(gate: int, thread: int) -> None:
        """A helper's life, without end."""
        while thread > 0:
            linger(gate, thread)
            sleep(bell_of(gate, thread))

    return help_


class Team:
    """This process's helpers, at most so many, and the gate that they come in by; one product at a time has them."""

    def __init__(self, most: int) -> None:
        self._memory = aligned_zeros((BELLS + most * BELL_BYTES,), np.uint8, alignment=APART)
        self.gate = self._memory.ctypes.data
        self.disband()

    def disband(self) -> None:
        """Forget the helpers: they do not come along into the child of a process."""
        self._memory[:] = 0
        self.busy = threading.Lock()
        self._helpers = 0

    def recruit(self, threads: int) -> None:
        """See to it that there are so many threads, with the caller."""
        while self._helpers < threads - 1:
            self._helpers += 1
            threading.Thread(target=self._help, args=(self._helpers,), daemon=True).start()

    def _help(self, thread: int) -> None:
        start = bell_of(self.gate, thread) - self.gate
        hang(self._memory[start : start + BELL_BYTES])
        helping()(self.gate, thread)
