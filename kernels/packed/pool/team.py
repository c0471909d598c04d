"""Helpers: threads that join a product if they come in time, and are never waited for if they do not.

A parallel loop of OpenMP ends when each of its threads has run. Where the machine has put one to sleep, or another program holds
its processor, that takes milliseconds, many times the product. Here the caller opens a gate, does tasks (see `tasks`) and closes
the gate when none is left. Helpers that came in by then finish what they have begun; the others find it closed.

Helpers linger at the gate for a while before they sleep: a product that follows soon finds them awake. Waking one takes longer
than a small product, which is then made without.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
from llvmlite.binding import address_of_symbol
from numba import njit, types

from kernels.arrays import aligned_zeros
from kernels.jit.caching import cached, inner
from kernels.jit.memory import whole, write
from kernels.jit.pointers import ask, call
from kernels.packed.pool.bell import BELL_BYTES, hang, microseconds, ring, sleep, sleeps
from kernels.packed.pool.tasks import APART, add, counter, replace, set_counter, yield_now

OPEN, ENTRANT = 1, 2
"""The gate's word: whether it is open, and twice the helpers inside."""

SERVE, ROOM, THREADS, NUMBER, TAKEN, HELPERS, ASK, LAST, WORK, CLOCK = range(APART, APART + 10 * 8, 8)
"""Bytes from the gate's word to the function that helpers call, its workspace, the threads with the caller's, and the product's
number; whether a product has the helpers, how many there are, and where numba's function is that tells the number of threads; and
when a product last found them asleep, the work of all that did so one soon after the other, and two words for the clock."""

BELLS = 2 * APART
"""Bytes from the gate's word to the first helper's bell."""

WAKE, SOON_US = 4_000_000, 1_000
"""Work, in multiply-adds, that gains about the 50 us that waking a helper takes: of one product, or of several, each so soon
after the other that more will follow."""

LINGER = 1_000_000
"""Looks at the gate before a helper sleeps: some 3 ms, as OpenMP's threads wait."""

LOOKS = 100
"""At the gate before the processor is offered to others: the caller may be waiting for this very one."""


@inner
def threads_with(gate: int) -> int:
    """As many threads as numba is set to, the caller's with them; 0 if there are not so many helpers."""
    if whole(gate + ASK) == 0:
        return 0
    threads = ask(whole(gate + ASK))
    return threads if threads <= 1 + whole(gate + HELPERS) else 0


@inner
def pay(gate: int, work: int) -> bool:
    """Whether helpers pay for a product of so much work: they are awake, or worth waking."""
    if not sleeps(bell_of(gate, 1)):
        return True
    before, now = whole(gate + LAST), microseconds(gate + CLOCK)
    work += whole(gate + WORK) if now - before < SOON_US else 0
    write(gate + LAST, now)
    write(gate + WORK, work)
    return work >= WAKE


@inner
def take(gate: int) -> bool:
    """Have the helpers for one's own, if no other product has them, until one gives them back."""
    return replace(gate + TAKEN, 0, 1)


@inner
def give(gate: int) -> None:
    """Leave the helpers to the next product."""
    set_counter(gate + TAKEN, 0)


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
        self._recruiting = threading.Lock()

    def recruit(self, threads: int) -> None:
        """See to it that there are so many threads, with the caller."""
        words = self._memory[:BELLS].view(np.int64)
        with self._recruiting:
            words[ASK // 8] = address_of_symbol("get_num_threads") or 0  # there is none before numba has launched its threads
            while words[HELPERS // 8] < threads - 1:
                words[HELPERS // 8] += 1
                threading.Thread(target=self._help, args=(int(words[HELPERS // 8]),), daemon=True).start()

    def _help(self, thread: int) -> None:
        start = bell_of.py_func(0, thread)
        hang(self._memory[start : start + BELL_BYTES])
        helping()(self.gate, thread)
