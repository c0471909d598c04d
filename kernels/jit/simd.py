"""SIMD vectors as values in compiled numba code: a vector lives in a register, and each function here is an instruction or two.

Numba has no such type of its own and leaves vectors to LLVM's auto-vectoriser, which gives up where loops are short, alias or
carry a vector from one turn to the next. A vector here is LLVM's own; one that is wider than the CPU's registers is split.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from kernels.jit.emit import (
    FUSED,
    LINE,
    emit_broadcast,
    emit_four_totals,
    emit_lanes,
    emit_load,
    emit_mask,
    emit_prefetch,
    emit_shuffle,
    emit_store,
    emit_total,
)


class Vector(types.Type):
    """Numba's type of a vector of `lanes` numbers of a dtype."""

    def __init__(self, dtype: Any, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(name=f"vector({dtype}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.dtype).get_value_type(), kind.lanes))


@intrinsic(prefer_literal=True)
def load(typing: Any, array: Any, start: Any, lanes: Any) -> Any:
    """``load(array, start, lanes)``: that many elements of a C-contiguous array from flat index `start`; no bounds check."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None  # numba asks again with the literal
    kind = Vector(array.dtype, lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, array, arguments[0], arguments[1], kind)
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return kind(array, types.int64, lanes), generate


@intrinsic(prefer_literal=True)
def prefetch(typing: Any, array: Any, start: Any, lanes: Any) -> Any:
    """``prefetch(array, start, lanes)``: fetch what `load` would into L2, and go on."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None
    kind = Vector(array.dtype, lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = builder.bitcast(_place(context, builder, array, arguments[0], arguments[1], kind), cgutils.voidptr_t)
        for line in range(0, kind.lanes * array.dtype.bitwidth // 8, LINE):
            emit_prefetch(builder, builder.gep(first, [ir.IntType(32)(line)]), first_level=False)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), generate


@intrinsic
def store(typing: Any, array: Any, start: Any, vector: Any) -> Any:
    """``store(array, start, vector)``: overwrite elements of a C-contiguous array from flat index `start`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, array, arguments[0], arguments[1], vector)
        builder.store(arguments[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector), generate


@intrinsic(prefer_literal=True)
def load_some(typing: Any, array: Any, start: Any, lanes: Any, count: Any) -> Any:
    """``load_some(array, start, lanes, count)``: as `load`, but only the first `count` elements, and zeros."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None
    kind = Vector(array.dtype, lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, array, arguments[0], arguments[1], kind)
        return emit_load(builder, place, emit_mask(builder, kind.lanes, arguments[3]), array.dtype.bitwidth // 8)

    return kind(array, types.int64, lanes, types.int64), generate


@intrinsic
def store_some(typing: Any, array: Any, start: Any, vector: Any, count: Any) -> Any:
    """``store_some(array, start, vector, count)``: as `store`, but only the first `count` elements."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, array, arguments[0], arguments[1], vector)
        mask = emit_mask(builder, vector.lanes, arguments[3])
        emit_store(builder, arguments[2], place, mask, array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector, types.int64), generate


@intrinsic
def multiply_add(typing: Any, factor: Any, vector: Any, addend: Any) -> Any:
    """``multiply_add(factor, vector, addend)``: factor times vector plus addend, fused where the CPU can.

    The factor is a number or a vector.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        by = arguments[0] if isinstance(factor, Vector) else emit_broadcast(builder, arguments[0], vector.lanes)
        return builder.fadd(builder.fmul(by, arguments[1], flags=FUSED), arguments[2], flags=FUSED)

    return vector(factor if isinstance(factor, Vector) else vector.dtype, vector, addend), generate


@intrinsic(prefer_literal=True)
def splat(typing: Any, value: Any, lanes: Any) -> Any:
    """``splat(value, lanes)``: a vector of one number."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit_broadcast(builder, arguments[0], lanes.literal_value)

    return Vector(value, lanes.literal_value)(value, lanes), generate


@intrinsic
def add(typing: Any, u: Any, v: Any) -> Any:
    """``add(u, v)``: the sum, lane by lane, in the order written: LLVM would regroup it so that more have to wait."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments, flags=("nsz",))

    return u(u, v), generate


@intrinsic
def multiply(typing: Any, factor: Any, vector: Any) -> Any:
    """``multiply(factor, vector)``: the product, lane by lane; the factor is a number or a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        by = arguments[0] if isinstance(factor, Vector) else emit_broadcast(builder, arguments[0], vector.lanes)
        return builder.fmul(by, arguments[1], flags=FUSED)

    return vector(factor if isinstance(factor, Vector) else vector.dtype, vector), generate


@intrinsic
def join(typing: Any, u: Any, v: Any) -> Any:
    """``join(u, v)``: the lanes of u and then those of v, in one vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit_shuffle(builder, arguments[0], arguments[1], list(range(2 * u.lanes)))

    return Vector(u.dtype, 2 * u.lanes)(u, v), generate


@intrinsic
def first_half(typing: Any, vector: Any) -> Any:
    """``first_half(vector)``: a vector of the first half of its lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit_shuffle(builder, arguments[0], arguments[0], list(range(vector.lanes // 2)))

    return Vector(vector.dtype, vector.lanes // 2)(vector), generate


@intrinsic
def keep(typing: Any, vector: Any, numbers: Any, count: Any) -> Any:
    """``keep(vector, numbers, count)``: the lanes whose number, in a tuple, is below `count`; zero in the others."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(32), vector.lanes)
        lanes = ir.Constant(kind, ir.Undefined)
        for lane, number in enumerate(cgutils.unpack_tuple(builder, arguments[1])):
            lanes = builder.insert_element(lanes, builder.trunc(number, kind.element), ir.Constant(ir.IntType(32), lane))
        kept = builder.icmp_signed("<", lanes, emit_broadcast(builder, builder.trunc(arguments[2], kind.element), vector.lanes))
        return builder.select(kept, arguments[0], ir.Constant(arguments[0].type, None))

    return vector(vector, numbers, types.int64), generate


def shuffle(*pattern: int) -> Any:
    """An instruction ``pick(u, v)``, the same for each block of len(pattern) lanes.

    Lane i of a block is lane pattern[i] of that block of u, followed by that block of v.
    """
    period = len(pattern)

    @intrinsic
    def pick(typing: Any, u: Any, v: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def place(lane: int) -> int:
                block, source = lane - lane % period, pattern[lane % period]
                return block + source if source < period else u.lanes + block + source - period

            return emit_shuffle(builder, arguments[0], arguments[1], [place(lane) for lane in range(u.lanes)])

        return u(u, v), generate

    return pick


@intrinsic
def total(typing: Any, vector: Any) -> Any:
    """``total(vector)``: the sum of its lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit_total(builder, arguments[0])

    return vector.dtype(vector), generate


@intrinsic
def four_totals(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """``four_totals(a, b, c, d)``: the sums of the lanes of each, in a tuple, with fewer instructions than four `total`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_tuple(builder, signature.return_type, emit_lanes(builder, emit_four_totals(builder, arguments)))

    return types.UniTuple(a.dtype, 4)(a, b, c, d), generate


@intrinsic
def dot(typing: Any, u: Any, v: Any) -> Any:
    """``dot(u, v)``: the sum of the products of two vectors' lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit_total(builder, builder.fmul(*arguments, flags=FUSED))

    return u.dtype(u, v), generate


def _place(context: Any, builder: Any, array: Any, value: Any, start: Any, kind: Vector) -> Any:
    data = context.make_array(array)(context, builder, value).data
    vector = ir.VectorType(context.get_value_type(kind.dtype), kind.lanes)
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())
