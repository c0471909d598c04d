"""Dot products of a few rows with a few columns at once, all their sums in registers: emitted as LLVM, like the microkernel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import from_dtype, types
from numba.extending import intrinsic
from numba.np.numpy_support import as_dtype

from kernels.cpu.vectors import vectors
from kernels.jit.caching import UNWRAPPED, as_written, cached
from kernels.jit.emit import (
    FUSED,
    I64,
    emit_broadcast,
    emit_four_totals,
    emit_lanes,
    emit_load,
    emit_loop,
    emit_mask,
    emit_shuffle,
    emit_switch,
    emit_until_none,
)
from kernels.jit.memory import EIGHT, vector_of
from kernels.jit.records import emit_fields, layout_of, record_on_stack
from kernels.packed.microkernel import multiply_add

FOUR = 4
"""Rows at once, or `EIGHT`: the lanes of so many sums are added up together."""

SUMS = 24 if vectors().registers >= 32 else 12
"""At most, at once: the registers hold them, a vector of each column and one of a row."""

MOST_COLUMNS = SUMS // FOUR
"""Columns at once, with four rows."""


class Dots(NamedTuple):
    """What the compiled function is given: a record of whole numbers, and of factors of the operands' dtype.

    Addresses and strides are in bytes. Rows of a, and columns of x, are contiguous.
    """

    height: Any
    """Rows at once: `FOUR` or `EIGHT`."""
    width: Any
    """Columns: at least 1, and height times width at most `SUMS`."""
    rows: Any
    """At least 1."""
    depth: Any
    """Columns of a, and rows of x: at least 1."""
    a: Any
    a_row: Any
    x: Any
    x_column: Any
    c: Any
    c_row: Any
    c_column: Any
    alpha: Any
    beta: Any


dots_layout = layout_of(Dots._fields)
new_dots = record_on_stack(dots_layout)


def compiled(dtype: Any) -> Any:
    """`tiles_of_dots` as a function of its own, compiled for a dtype; `few_columns` calls it by its address."""

    def dots(given):  # type: ignore[no-untyped-def]
        tiles_of_dots(given)

    with as_written():
        return cached(types.void(from_dtype(dots_layout(as_dtype(dtype)))), **UNWRAPPED)(dots)


@intrinsic
def tiles_of_dots(typing: Any, given: Any) -> Any:
    """Make c = alpha a x + beta c by dot products; c is not read if beta is 0. The record has the fields of `Dots`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dots = Dots(*emit_fields(context, builder, given, arguments[0]))
        vector = context.get_value_type(vector_of(given.typeof("alpha")))
        cases = {
            height * SUMS + width: partial(emit_tiles, builder, vector, height, width, dots)
            for height in (FOUR, EIGHT)
            for width in range(1, SUMS // height + 1)
        }
        emit_switch(builder, builder.add(builder.mul(dots.height, I64(SUMS)), dots.width), cases)
        return context.get_dummy_value()

    return types.void(given), generate


def emit_tiles(builder: Any, kind: Any, height: int, width: int, dots: Dots) -> None:
    """One height and width: a loop over the rows, and in it one over the depth, a vector at a time, the last masked."""
    size, lanes = 4 if kind.element == ir.FloatType() else 8, I64(kind.count)
    columns = [builder.add(dots.x, builder.mul(dots.x_column, I64(j))) for j in range(width)]
    across = [builder.mul(dots.c_column, I64(j)) for j in range(width)]
    whole, rest = builder.udiv(dots.depth, lanes), builder.urem(dots.depth, lanes)
    once, mask = builder.zext(builder.icmp_unsigned("!=", rest, I64(0)), I64), emit_mask(builder, kind.count, rest)
    alphas = emit_broadcast(builder, dots.alpha, FOUR)

    def tile(left: Any, a: Any, c: Any) -> list[Any]:
        starts = [*columns, *_rows(builder, a, dots.a_row, builder.sub(left, I64(1)), height)]

        def step(mask: Any, here: Any, *sums: Any) -> list[Any]:
            """The next byte, and the sums, with a vector of each row times one of each column added."""
            places = [builder.inttoptr(builder.add(start, here), kind.as_pointer()) for start in starts]
            u = [emit_load(builder, place, mask, size) for place in places[:width]]
            totals = []
            for i, place in enumerate(places[width:]):
                v = emit_load(builder, place, mask, size)
                totals += [multiply_add(builder, v, each, sums[i * width + j]) for j, each in enumerate(u)]
            return [builder.add(here, I64(kind.count * size)), *totals]

        carried = emit_loop(builder, whole, [I64(0), *[ir.Constant(kind, None)] * (height * width)], partial(step, None))
        _, *sums = emit_loop(builder, once, carried, partial(step, mask))
        for four in range(0, height, FOUR):
            totals = [emit_four_totals(builder, sums[four * width + j : (four + FOUR) * width : width]) for j in range(width)]
            by_column = [emit_lanes(builder, builder.fmul(alphas, each, flags=FUSED)) for each in totals]
            for i, row in enumerate(zip(*by_column, strict=True), start=four):
                with builder.if_then(builder.icmp_unsigned("<", I64(i), left)):
                    here = builder.add(c, builder.mul(dots.c_row, I64(i)))
                    emit_row(builder, row, [builder.add(here, each) for each in across], dots.beta, size)
        following = builder.sub(left, I64(height))
        following = builder.select(builder.icmp_signed("<", following, I64(0)), I64(0), following)
        return [following, *(builder.add(at, builder.mul(by, I64(height))) for at, by in ((a, dots.a_row), (c, dots.c_row)))]

    emit_until_none(builder, [dots.rows, dots.a, dots.c], tile)


def emit_row(builder: Any, values: Sequence[Any], places: Sequence[Any], beta: Any, size: int) -> None:
    """Make elements at addresses the values, plus beta times what they were; they are not read if beta is 0."""
    pointers = [builder.inttoptr(place, beta.type.as_pointer()) for place in places]
    with builder.if_else(builder.fcmp_ordered("==", beta, ir.Constant(beta.type, 0.0))) as (overwrite, add):
        with overwrite:
            for value, pointer in zip(values, pointers, strict=True):
                builder.store(value, pointer, align=size)
        with add:
            for value, pointer in zip(values, pointers, strict=True):
                builder.store(multiply_add(builder, beta, builder.load(pointer, align=size), value), pointer, align=size)


@intrinsic
def eight_dots(typing: Any, address: Any, step: Any, last: Any, depth: Any, x: Any) -> Any:
    """``eight_dots(address, step, last, depth, x)``: the dot products of eight rows, `step` bytes apart, with x, in a vector.

    x has eight lanes. Of each row the first `depth` elements count. In the place of rows after the `last`, that is read again.
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
    """Addresses of `count` rows; for those after the last, its own."""
    numbers = [builder.select(builder.icmp_signed("<", last, I64(row)), last, I64(row)) for row in range(1, count)]
    return [first, *(builder.add(first, builder.mul(step, number)) for number in numbers)]
