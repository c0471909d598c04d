"""Tasks shared out to threads one at a time, and waited for: a thread that the machine slows down simply takes fewer.

Tasks are numbered in an order in which each depends on earlier ones only, and are claimed in that order. So "as many are done
as come before this one" means that those are the ones, and whoever waits waits for tasks that some thread is already at: no
deadlock, however few threads there turn out to be.
"""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernels.jit.caching import inner

I64 = ir.IntType(64)
APART = 128
"""Bytes between the two counters: on one cache line, or on two that are fetched together, they would slow each other."""
COUNTERS_BYTES = 2 * APART
LOOKS = 2_000
"""At what others have done before the processor is offered to them."""


@inner
def begin(counters: int) -> None:
    """Before the threads start: no task claimed, none done."""
    set_counter(counters, 0)
    set_counter(counters + APART, 0)


@inner
def claim(counters: int, end: int) -> int:
    """The next task's number, or -1 if that is not below `end`: the task is then left to whoever asks for it later."""
    task = counter(counters)
    while task < end:
        if replace(counters, task, task + 1):
            return task
        task = counter(counters)
    return -1


@inner
def finish(counters: int) -> None:
    """One more is done: what it wrote can be read by those who wait."""
    add(counters + APART, 1)


@inner
def wait(counters: int, done: int) -> None:
    """Until that many tasks are done; whoever does them may need this very processor."""
    looks = 0
    while counter(counters + APART) < done:
        looks += 1
        if looks > LOOKS:
            yield_now()


if os.name == "posix":
    _sched_yield = types.ExternalFunction("sched_yield", types.int32())

    @inner
    def yield_now() -> None:
        """Let another thread run on this processor, if one is waiting for it."""
        _sched_yield()

else:

    @inner
    def yield_now() -> None:
        """Nothing: this system's call for it is not known here."""


@intrinsic
def set_counter(typing: Any, address: Any, value: Any) -> Any:
    """``set_counter(address, value)``, for all threads to see."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _pointer(builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def counter(typing: Any, address: Any) -> Any:
    """``counter(address)``: its value, and all that was written before it had it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(builder, arguments[0]), "acquire", 8)

    return types.int64(types.int64), generate


@intrinsic
def replace(typing: Any, address: Any, old: Any, new: Any) -> Any:
    """``replace(address, old, new)``: whether the counter was `old`, and is `new` now."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.cmpxchg(_pointer(builder, arguments[0]), arguments[1], arguments[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@intrinsic
def add(typing: Any, address: Any, amount: Any) -> Any:
    """``add(address, amount)`` to a counter, for all threads to see."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.atomic_rmw("add", _pointer(builder, arguments[0]), arguments[1], "acq_rel")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, I64.as_pointer())
