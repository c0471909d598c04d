"""Dot products of a few rows with a few columns at once, all their sums in registers: emitted as LLVM, like the microkernel."""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernels.numba_packed.memory import EIGHT, vector_of
from kernels.numba_packed.microkernel import emit_loop, multiply_add
from kernels.simd import FUSED, emit_four_totals, emit_load, emit_mask, emit_shuffle
from kernels.vectors import vectors

FOUR = 4
"""Rows of a tile, or twice as many: so many sums are added up together."""

SUMS = 16 if vectors().registers >= 32 else 12
"""Of a tile, at most: they, a vector of each column and one of a row are in registers."""

MOST_COLUMNS = SUMS // FOUR
"""Of a tile of four rows."""

I64 = ir.IntType(64)


@intrinsic(prefer_literal=True)
def tile_of_dots(
    typing: Any, rows: Any, columns: Any, depth: Any, a: Any, a_row: Any, last: Any, x: Any, x_column: Any, like: Any
) -> Any:  # fmt: skip
    """``tile_of_dots(rows, columns, depth, a, a_row, last, x, x_column, like)``: of rows of a with columns of x.

    A tuple of four rows' for each column, then of the next four rows'; rows after the `last` are it again. Elements of a row, and
    of a column, are neighbours. How many there are of both must be literal.
    """
    if not (isinstance(rows, types.IntegerLiteral) and isinstance(columns, types.IntegerLiteral)):
        return None  # numba asks again with the literals
    kind, tall, wide = vector_of(like), rows.literal_value, columns.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        depth_, a_, step, end, x_, across = arguments[2:-1]
        vector, size, lanes = context.get_value_type(kind), like.bitwidth // 8, I64(kind.lanes)
        starts = [builder.add(x_, builder.mul(across, I64(j))) for j in range(wide)] + _rows(builder, a_, step, end, tall)

        def step_along(mask: Any, here: Any, *sums: Any) -> list[Any]:
            """How far it has come, and the sums, with a vector of each row times one of each column added."""
            places = [builder.inttoptr(builder.add(start, here), vector.as_pointer()) for start in starts]
            u = [emit_load(builder, place, mask, size) for place in places[:wide]]
            totals = []
            for i, place in enumerate(places[wide:]):
                v = emit_load(builder, place, mask, size)
                totals += [multiply_add(builder, v, each, sums[i * wide + j]) for j, each in enumerate(u)]
            return [builder.add(here, I64(kind.lanes * size)), *totals]

        carried = [I64(0), *[ir.Constant(vector, None)] * (tall * wide)]
        carried = emit_loop(builder, builder.udiv(depth_, lanes), carried, partial(step_along, None))
        rest = builder.urem(depth_, lanes)
        once = builder.zext(builder.icmp_unsigned("!=", rest, I64(0)), I64)
        _, *sums = emit_loop(builder, once, carried, partial(step_along, emit_mask(builder, kind.lanes, rest)))
        fours = [sums[i * wide + j : (i + FOUR) * wide : wide] for i in range(0, tall, FOUR) for j in range(wide)]
        found = [context.make_tuple(builder, signature.return_type.dtype, emit_four_totals(builder, four)) for four in fours]
        return context.make_tuple(builder, signature.return_type, found)

    dots = types.UniTuple(types.UniTuple(like, FOUR), tall // FOUR * wide)
    return dots(rows, columns, *[types.int64] * 6, like), generate


@intrinsic
def eight_dots(typing: Any, address: Any, step: Any, last: Any, depth: Any, x: Any) -> Any:
    """``eight_dots(address, step, last, depth, x)``: of eight rows, so many bytes apart, the dot products with x.

    x has eight lanes, and a row its first `depth` elements, the rest of which do not count; rows after the `last` are it again.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, bytes_, end, count, by = arguments
        mask = emit_mask(builder, EIGHT, count)

        def product(row: Any) -> Any:
            place = builder.inttoptr(row, by.type.as_pointer())
            return builder.fmul(by, emit_load(builder, place, mask, x.dtype.bitwidth // 8), flags=FUSED)

        def folded(u: Any, v: Any, half: int) -> Any:
            """In each block the sum of u's two halves, and then that of v's."""
            lower = [block + lane for block in range(0, EIGHT, 2 * half) for lane in (*range(half), *range(EIGHT, EIGHT + half))]
            upper = [lane + half for lane in lower]
            return builder.fadd(emit_shuffle(builder, u, v, lower), emit_shuffle(builder, u, v, upper), flags=FUSED)

        sums = [product(row) for row in _rows(builder, first, bytes_, end, EIGHT)]
        for half in (4, 2, 1):
            sums = [folded(u, v, half) for u, v in zip(sums[:half], sums[half:], strict=True)]
        return sums[0]

    return x(types.int64, types.int64, types.int64, types.int64, x), generate


def _rows(builder: Any, first: Any, step: Any, last: Any, count: int) -> list[Any]:
    """Addresses of rows; after the last it again."""
    numbers = [builder.select(builder.icmp_signed("<", last, I64(row)), last, I64(row)) for row in range(1, count)]
    return [first, *(builder.add(first, builder.mul(step, number)) for number in numbers)]
