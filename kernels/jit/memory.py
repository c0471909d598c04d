"""Elements and short runs of bytes at addresses, for compiled code that must not care how many strides an array has."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kernels.cpu.vectors import vectors
from kernels.jit.caching import inner
from kernels.jit.emit import emit_load, emit_mask, emit_prefetch, emit_shuffle, emit_store
from kernels.jit.simd import Vector

EIGHT = 8
"""Lanes of a vector, or rows, where a few elements are gone over at once; LLVM takes it apart for narrower registers."""

RUN = min(64, 2 * vectors().width)
"""Bytes that `copy_run` moves; every tile is a multiple of this wide."""


@intrinsic
def read(typing: Any, address: Any, like: Any) -> Any:
    """``read(address, like)``: the element at an address, of the dtype of `like`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = context.get_value_type(like)
        return builder.load(builder.inttoptr(arguments[0], element.as_pointer()), align=like.bitwidth // 8)

    return like(types.int64, like), generate


@intrinsic
def pointer(typing: Any, address: Any, like: Any) -> Any:
    """``pointer(address, like)``: to elements of the dtype of `like`, for `numba.carray`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(like).as_pointer())

    return types.CPointer(like)(types.int64, like), generate


@inner
def whole(address: int) -> int:
    """The whole number at an address."""
    return read(address, np.int64(0))


@intrinsic
def write(typing: Any, address: Any, value: Any) -> Any:
    """``write(address, value)``: overwrite the element at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], arguments[1].type.as_pointer())
        builder.store(arguments[1], pointer, align=value.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(types.int64, value), generate


@intrinsic
def lanes_of(typing: Any, like: Any) -> Any:
    """``lanes_of(like)``: elements of the dtype of `like` in a vector that this CPU takes whole."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.IntType(64), vector_of(like).lanes)

    return types.int64(like), generate


@intrinsic
def size_of(typing: Any, like: Any) -> Any:
    """``size_of(like)``: bytes of an element of the dtype of `like`; LLVM knows them, as it does not an array's itemsize."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.IntType(64), like.bitwidth // 8)

    return types.int64(like), generate


def _constant(value: float) -> Any:
    @intrinsic
    def constant(typing: Any, like: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return ir.Constant(context.get_value_type(like), value)

        return like(like), generate

    return constant


zero, one = _constant(0.0), _constant(1.0)
"""``zero(like)`` and ``one(like)``: 0 and 1 of the dtype of `like`, which numba would widen."""


@intrinsic
def read_some(typing: Any, address: Any, count: Any, like: Any) -> Any:
    """``read_some(address, count, like)``: the first `count` elements there, at most a vector; zeros in the other lanes."""
    return _reading(vector_of(like))


@intrinsic
def read_eight(typing: Any, address: Any, count: Any, like: Any) -> Any:
    """``read_eight(address, count, like)``: the same, but a vector of eight, whatever this CPU takes whole."""
    return _reading(Vector(like, EIGHT))


def _reading(kind: Vector) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], context.get_value_type(kind).as_pointer())
        return emit_load(builder, pointer, emit_mask(builder, kind.lanes, arguments[1]), kind.dtype.bitwidth // 8)

    return kind(types.int64, types.int64, kind.dtype), generate


@intrinsic
def write_some(typing: Any, address: Any, count: Any, vector: Any) -> Any:
    """``write_some(address, count, vector)``: overwrite that many contiguous elements, at most all lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], arguments[2].type.as_pointer())
        emit_store(builder, arguments[2], pointer, emit_mask(builder, vector.lanes, arguments[1]), vector.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, vector), generate


def vector_of(like: Any) -> Vector:
    """The widest that the core takes whole: halves lie across two cache lines half as often, and are no slower."""
    return Vector(like, vectors().whole_lanes(like.bitwidth // 8))


@intrinsic
def copy_run(typing: Any, source: Any, target: Any) -> Any:
    """``copy_run(source, target)``: `RUN` bytes, at once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = ir.VectorType(ir.IntType(32), RUN // 4).as_pointer()
        value = builder.load(builder.inttoptr(arguments[0], pointer), align=4)
        builder.store(value, builder.inttoptr(arguments[1], pointer), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


SQUARE = 4
"""Elements along a side of what `transpose_square` copies."""


@intrinsic
def transpose_square(typing: Any, source: Any, source_step: Any, target: Any, target_step: Any, like: Any) -> Any:
    """``transpose_square(source, source_step, target, target_step, like)``: copy a square, whose rows become columns.

    Rows are contiguous, and begin so many bytes apart.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _emit_transpose(context, builder, like, arguments[:-1], None)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4, like), generate


@intrinsic
def transpose_columns(typing: Any, source: Any, source_step: Any, target: Any, target_step: Any, count: Any, like: Any) -> Any:
    """``transpose_columns(source, source_step, target, target_step, count, like)``: the same for its first `count` columns."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _emit_transpose(context, builder, like, arguments[:-2], arguments[-2])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5, like), generate


def _emit_transpose(context: Any, builder: Any, like: Any, places: Any, count: Any) -> None:
    start, step, to, to_step = places
    kind, size = ir.VectorType(context.get_value_type(like), SQUARE).as_pointer(), like.bitwidth // 8
    numbers = [ir.IntType(64)(number) for number in range(SQUARE)]
    mask = None if count is None else emit_mask(builder, SQUARE, count)

    def row(at: Any, bytes_: Any, number: Any) -> Any:
        return builder.inttoptr(builder.add(at, builder.mul(bytes_, number)), kind)

    a, b, c, d = (emit_load(builder, row(start, step, number), mask, size) for number in numbers)
    halves = [emit_shuffle(builder, u, v, lanes) for lanes in ((0, 4, 1, 5), (2, 6, 3, 7)) for u, v in ((a, b), (c, d))]
    pairs = (halves[0], halves[1]), (halves[2], halves[3])
    transposed = [emit_shuffle(builder, u, v, lanes) for u, v in pairs for lanes in ((0, 1, 4, 5), (2, 3, 6, 7))]
    for number, vector in reversed(list(zip(numbers, transposed, strict=True))):
        if count is not None:  # what is beyond the last goes where that is written next
            last = builder.sub(count, numbers[1])
            number = builder.select(builder.icmp_signed("<", last, number), last, number)
        builder.store(vector, row(to, to_step, number), align=size)


@intrinsic
def prefetch(typing: Any, address: Any) -> Any:
    """``prefetch(address)``: fetch the cache line there, and go on; an address of nothing does no harm."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        emit_prefetch(builder, builder.inttoptr(arguments[0], cgutils.voidptr_t))
        return context.get_dummy_value()

    return types.void(types.int64), generate
