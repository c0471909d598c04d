"""Words at addresses that several threads read and write: loads, stores, and changes that no other thread comes between."""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernels.jit.caching import inner

I64 = ir.IntType(64)


@intrinsic
def load(typing: Any, address: Any) -> Any:
    """``load(address)``: the word there, and with it all that was written before it (acquire)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(builder, arguments[0]), "acquire", 8)

    return types.int64(types.int64), generate


@intrinsic
def store(typing: Any, address: Any, value: Any) -> Any:
    """``store(address, value)``: for all threads to see, and all that was written before (release)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _pointer(builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def compare_exchange(typing: Any, address: Any, old: Any, new: Any) -> Any:
    """``compare_exchange(address, old, new)``: whether the word was `old`, and is `new` now."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.cmpxchg(_pointer(builder, arguments[0]), arguments[1], arguments[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@intrinsic
def add(typing: Any, address: Any, amount: Any) -> Any:
    """``add(address, amount)``: to the word there, for all threads to see."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.atomic_rmw("add", _pointer(builder, arguments[0]), arguments[1], "acq_rel")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, I64.as_pointer())


if os.name == "posix":
    _sched_yield = types.ExternalFunction("sched_yield", types.int32())

    @inner
    def yield_processor() -> None:
        """Let another thread run on this processor, if one is waiting for it."""
        _sched_yield()

else:

    @inner
    def yield_processor() -> None:
        """Nothing: this system's call for it is not known here."""
