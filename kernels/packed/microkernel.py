"""The microkernel: a tile of the product that lives in registers while the depth goes by.

A tile is some rows by some vectors of columns. At each step of the depth the vectors of one row of b are loaded, each of the
rows' elements of a is broadcast, and each pair is multiplied and added to its accumulator: 2 rows vectors lanes flops for
rows + vectors loads. With 6 rows by 4 vectors in 32 registers that is 24 multiply-adds for 10 loads, where the core starts two
of either a cycle (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", TOMS 2008; BLIS). Narrower tiles
are taller, for a matrix of few columns, or of a few rows more than six.

Broadcasting asks little of a's layout: its rows may lie anywhere, so a needs no interleaving, and mostly no packing. b's vectors
must be contiguous. What is emitted is LLVM, one loop for each height and width of tile, full or with a masked last vector, so
that no edge is padded and nothing outside the operands is touched. Where the core takes a vector in two halves, a last one
that fits a half is half as wide, and takes half the time. LLVM keeps the accumulators in registers because they are
values, never memory. A long depth goes by in parts, each added to c, so that no sum is longer, and less exact, than a part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import from_dtype, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import as_dtype

from kernels.cpu.tiles import rows_in_registers
from kernels.jit.caching import UNWRAPPED, as_written, cached, inner
from kernels.jit.emit import (
    I64,
    LINE,
    emit_broadcast,
    emit_load,
    emit_loop,
    emit_mask,
    emit_prefetch,
    emit_store,
    emit_until_none,
)
from kernels.jit.records import emit_fields, layout_of, record_on_stack

FUSED = ("contract", "nsz")
"""A product and a sum may be fused, nothing else: not regrouped, and infinities stay what they are."""

UNROLLED = 4
"""Steps of the depth in a turn of the loop: they share what the loop itself costs."""
STRIDE_SCALES = 3
"""Rows reached from one pointer: x86 addresses base, base + stride and base + 2 stride without another register."""


TAILS = WHOLE, MASKED, HALF = 0, 1, 2
"""What the last vector of a tile's row is: like the others, masked, or half as wide and masked."""

MAX_NR = 8
"""The most rows of any tile: enough sums of one vector to hide the latency, and each height is more to compile."""


_rows_in_registers = njit(rows_in_registers)


@inner
def max_nr(vectors: int, registers: int, early: int) -> int:
    """The most rows of a tile so many vectors wide; see `Vectors` for the registers and `early`."""
    return min(MAX_NR, _rows_in_registers(vectors, registers, early))


class Tile(NamedTuple):
    """What the microkernel is given of a microtile: a record of whole numbers, and of factors of the operands' dtype.

    Addresses and strides are in bytes. Elements of a row are neighbours in each operand.
    """

    rows: Any
    """1 to what `max_nr` allows for so many columns."""
    columns: Any
    """1 to mr."""
    depth: Any
    """Columns of a, and rows of b: at least 1."""
    chunk: Any
    """The k chunk: so much of the depth is summed in registers before it is added to c."""
    a: Any
    a_row: Any
    b: Any
    b_row: Any
    c: Any
    c_row: Any
    ahead: Any
    """Bytes from the first row of a to one that is needed soon, and prefetched; 0 for none."""
    alpha: Any
    beta: Any


tile_layout = layout_of(Tile._fields)
new_tile = record_on_stack(tile_layout)


def signature(dtype: Any) -> Any:
    """Types of the compiled microkernel: it takes a record and returns nothing."""
    return types.void(from_dtype(tile_layout(as_dtype(dtype))))


def compiled(lanes: int, vectors: int, registers: int, early: int, halves: int, dtype: Any) -> Any:
    """The microkernel as a function of its own, compiled for a CPU and a dtype; the loops call it by its address.

    Linked into them it would be compiled again with each function that calls another.
    """

    def microkernel(tile):  # type: ignore[no-untyped-def]
        update_tile(lanes, vectors, registers, early, halves, tile)

    with as_written():
        return cached(signature(dtype), **UNWRAPPED)(microkernel)


@intrinsic(prefer_literal=True)
def update_tile(typing: Any, lanes: Any, vectors: Any, registers: Any, early: Any, halves: Any, tile: Any) -> Any:
    """Make c = alpha a b + beta c for a microtile; c is not read if beta is 0.

    Parameters
    ----------
    lanes, vectors, registers, early, halves : int literals
        Elements of a vector; the most vectors of a row of c; the CPU's registers, whether elements of a are loaded early, and
        whether the core takes a vector in halves.
    tile : record
        The fields of `Tile`.
    """
    if not all(isinstance(each, types.IntegerLiteral) for each in (lanes, vectors, registers, early, halves)):
        return None  # numba asks again with the literals
    unit = registers.literal_value, early.literal_value
    most_rows = {wide: max_nr.py_func(wide, *unit) for wide in range(1, vectors.literal_value + 1)}

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        most_lanes, given = lanes.literal_value, Tile(*emit_fields(context, builder, tile, arguments[5]))
        end, impossible = (builder.append_basic_block(f"tile.{name}") for name in ("end", "impossible"))
        whole = builder.udiv(builder.add(given.columns, I64(most_lanes - 1)), I64(most_lanes))
        rest = builder.urem(given.columns, I64(most_lanes))
        masked = builder.icmp_unsigned("!=", rest, I64(0))
        half = builder.icmp_unsigned("<=", rest, I64(most_lanes // 2 * halves.literal_value))
        last = builder.select(masked, builder.select(half, I64(HALF), I64(MASKED)), I64(WHOLE))
        row = builder.add(builder.mul(whole, I64(MAX_NR)), given.rows)
        switch = builder.switch(builder.add(builder.mul(row, I64(len(TAILS))), last), impossible)
        builder.position_at_end(impossible)
        builder.unreachable()
        for wide, most in most_rows.items():
            for rows in range(1, most + 1):
                for tail in TAILS[: 3 if halves.literal_value else 2]:
                    block = builder.append_basic_block(f"tile.{rows}x{wide}.{tail}")
                    switch.add_case(I64((wide * MAX_NR + rows) * len(TAILS) + tail), block)
                    builder.position_at_end(block)
                    emit_tile(builder, context.get_value_type(tile.typeof("alpha")), most_lanes, wide, rows, tail, given)
                    builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(lanes, vectors, registers, early, halves, tile), generate


def emit_tile(builder: Any, element: Any, lanes: int, wide: int, tall: int, tail: int, tile: Tile) -> None:
    """One height and width: a loop over the depth, a part at a time, and the update of c after each."""
    size = 4 if element == ir.FloatType() else 8
    widths = [lanes] * (wide - 1) + [lanes // 2 if tail == HALF else lanes]
    zeros = [ir.Constant(ir.VectorType(element, each), None) for each in widths]
    mask = emit_mask(builder, widths[-1], builder.sub(tile.columns, I64((wide - 1) * lanes))) if tail else None

    def at(address: Any, place: int) -> tuple[Any, Any]:
        """Pointer to a vector of a row, and its mask."""
        pointer = builder.inttoptr(builder.add(address, I64(place * lanes * size)), zeros[place].type.as_pointer())
        return pointer, mask if place == wide - 1 else None

    groups = range(-(-tall // STRIDE_SCALES))
    starts = [builder.add(tile.a, builder.mul(tile.a_row, I64(STRIDE_SCALES * group))) for group in groups]
    reach = [I64(0), tile.a_row, builder.mul(tile.a_row, I64(2))]

    def steps(count: int, b: Any, *rest: Any) -> list[Any]:
        """So many steps of the depth, and where they lead: the row of b, the pointers into a, the sums."""
        pointers, sums = rest[: len(groups)], rest[len(groups) :]
        for step in range(count):
            vectors = [emit_load(builder, *at(b, place), size) for place in range(wide)]
            totals = []
            for i in range(tall):
                address = builder.add(builder.add(pointers[i // STRIDE_SCALES], reach[i % STRIDE_SCALES]), I64(step * size))
                factors = _spread(builder, builder.load(builder.inttoptr(address, element.as_pointer()), align=size), widths)
                totals += [multiply_add(builder, *each) for each in zip(factors, vectors, sums[i * wide :], strict=False)]
            b, sums = builder.add(b, tile.b_row), tuple(totals)
        return [b, *(_apart(builder, builder.add(pointer, I64(count * size))) for pointer in pointers), *sums]

    def turn(b: Any, *rest: Any) -> list[Any]:
        """Some steps at once, and as much of the row ahead asked for."""
        emit_prefetch(builder, builder.inttoptr(builder.add(rest[0], tile.ahead), cgutils.voidptr_t))
        return steps(UNROLLED, b, *rest)

    def turn_with_prefetch(c: Any, *rest: Any) -> list[Any]:
        """A turn, and a row of c's tile asked for."""
        for place in range(-(-wide * lanes * size // LINE)):
            emit_prefetch(builder, builder.inttoptr(builder.add(c, I64(place * LINE)), cgutils.voidptr_t), write=True)
        return [builder.add(c, tile.c_row), *turn(*rest)]

    def part(left: Any, asked: Any, beta: Any, b: Any, *pointers: Any) -> list[Any]:
        """A part of what is left of the depth, and what is left then; so many rows of c are asked for in its first turns."""
        depth = builder.select(builder.icmp_unsigned("<", left, tile.chunk), left, tile.chunk)
        # What the longer loops leave over goes first: without it, or behind them, LLVM spills. A tail, rarer, has no others.
        carried = [b, *pointers, *zeros * tall]
        turns = I64(0) if tail else builder.udiv(depth, I64(UNROLLED))
        carried = emit_loop(builder, builder.sub(depth, builder.mul(turns, I64(UNROLLED))), carried, partial(steps, 1))
        if not tail:
            rows = builder.select(builder.icmp_unsigned("<", turns, asked), turns, asked)
            _, *carried = emit_loop(builder, rows, [tile.c, *carried], turn_with_prefetch)
            carried = emit_loop(builder, builder.sub(turns, rows), carried, turn)
        reached, totals = carried[: 1 + len(groups)], carried[1 + len(groups) :]
        places = [at(builder.add(tile.c, builder.mul(tile.c_row, I64(i))), place) for i in range(tall) for place in range(wide)]
        emit_update(builder, totals, places, tile.alpha, beta, size)
        return [builder.sub(left, depth), I64(0), ir.Constant(element, 1.0), *reached]

    emit_until_none(builder, [tile.depth, I64(tall), tile.beta, tile.b, *starts], part)


def emit_update(builder: Any, totals: Sequence[Any], places: Sequence[tuple[Any, Any]], alpha: Any, beta: Any, size: int) -> None:
    """Make each vector of c, at a pointer with its mask, alpha times the total and beta times what it was.

    Mostly alpha is 1, and beta 0 or 1: what is then not multiplied leaves the units to the next tile.
    """
    kinds, one = {each.type: each.type.count for each in totals}, ir.Constant(alpha.type, 1.0)
    unscaled = builder.block
    with builder.if_then(builder.fcmp_unordered("!=", alpha, one)):
        by = {kind: emit_broadcast(builder, alpha, lanes) for kind, lanes in kinds.items()}
        scaled = [builder.fmul(by[each.type], each, flags=FUSED) for each in totals]
        scaling = builder.block
    values = [builder.phi(each.type) for each in totals]
    for value, total, product in zip(values, totals, scaled, strict=True):
        value.add_incoming(total, unscaled)
        value.add_incoming(product, scaling)

    def store(changed: Callable[[Any, Callable[[], Any]], Any]) -> None:
        for (pointer, some), value in zip(places, values, strict=True):
            emit_store(builder, changed(value, partial(emit_load, builder, pointer, some, size)), pointer, some, size)

    with builder.if_else(builder.fcmp_ordered("==", beta, ir.Constant(beta.type, 0.0))) as (overwrite, otherwise):
        with overwrite:
            store(lambda value, before: value)
        with otherwise, builder.if_else(builder.fcmp_ordered("==", beta, one)) as (add, scale):
            with add:
                store(lambda value, before: builder.fadd(value, before(), flags=FUSED))
            with scale:
                of = {kind: emit_broadcast(builder, beta, lanes) for kind, lanes in kinds.items()}
                store(lambda value, before: multiply_add(builder, of[value.type], before(), value))


def _spread(builder: Any, value: Any, widths: Sequence[int]) -> list[Any]:
    """A value in every lane of each of a row's vectors."""
    made = {each: emit_broadcast(builder, value, each) for each in set(widths)}
    return [made[each] for each in widths]


def _apart(builder: Any, address: Any) -> Any:
    """The same address, of which LLVM knows nothing more: no instruction.

    Else it keeps one pointer instead of five and reaches the other rows from it by a chain of additions of addresses (lea), which
    take every third slot of a port that multiply-adds need.
    """
    identity = ir.InlineAsm(ir.FunctionType(I64, [I64]), "", "=r,0", side_effect=False)
    return builder.call(identity, [address])


def multiply_add(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x y + z, fused where the CPU can."""
    return builder.fadd(builder.fmul(x, y, flags=FUSED), z, flags=FUSED)
