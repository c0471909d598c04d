"""Elements and short runs of bytes at addresses, for compiled code that must not care how many strides an array has."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

RUN = 32
"""Bytes that `copy_run` moves; every tile is a multiple of this wide."""


@intrinsic
def read(typing: Any, address: Any, like: Any) -> Any:
    """``read(address, like)``: the element at an address, of the dtype of `like`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = context.get_value_type(like)
        return builder.load(builder.inttoptr(arguments[0], element.as_pointer()), align=like.bitwidth // 8)

    return like(types.int64, like), generate


@intrinsic
def write(typing: Any, address: Any, value: Any) -> Any:
    """``write(address, value)``: overwrite the element at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], arguments[1].type.as_pointer())
        builder.store(arguments[1], pointer, align=value.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(types.int64, value), generate


@intrinsic
def copy_run(typing: Any, source: Any, target: Any) -> Any:
    """``copy_run(source, target)``: `RUN` bytes, at once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = ir.VectorType(ir.IntType(32), RUN // 4).as_pointer()
        value = builder.load(builder.inttoptr(arguments[0], pointer), align=4)
        builder.store(value, builder.inttoptr(arguments[1], pointer), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
