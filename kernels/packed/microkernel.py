"""The microkernel: a microtile of c, nr rows by mr columns, that stays in registers while the depth goes by.

At each step of the depth the vectors of one row of b are loaded, an element of a is broadcast for each row, and each pair is
multiplied and added to its sum. That is 2 nr mr flops for nr loads and mr / lanes. With 6 rows by 4 vectors in 32 registers there
are 24 multiply-adds for 10 loads, and a core starts two of either a cycle (Goto and van de Geijn, "Anatomy of High-Performance
Matrix Multiplication", TOMS 2008). A narrower microtile has more rows: c may have few columns, or a few rows more than six.

Broadcasting asks little of a: its rows may lie anywhere, so that it is mostly not packed. Vectors of b must be contiguous.

The code is emitted as LLVM: a loop for each number of rows and vectors, with the last vector whole or masked. So no edge is
padded, and nothing outside the operands is touched. Where the core takes a vector in two halves, a last one that fits a half is
half as wide. LLVM keeps the sums in registers, since they are values and not memory. After each k chunk they are added to c:
rounding errors grow with the length of a sum.
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
    emit_switch,
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
"""What the last vector of a row is: like the others, masked, or half as wide and masked."""

MAX_NR = 8
"""The most rows of a microtile: enough sums of one vector to hide the latency, and each height is more to compile."""

_rows_in_registers = njit(rows_in_registers)


@inner
def max_nr(vectors: int, registers: int, early: int) -> int:
    """The most rows of a microtile of so many vectors; see `Vectors` for the registers and `early`."""
    return min(MAX_NR, _rows_in_registers(vectors, registers, early))


class Tile(NamedTuple):
    """What the microkernel is given of a microtile: a record of whole numbers, and of factors of the operands' dtype.

    Addresses and strides are in bytes. Rows of each operand are contiguous.
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
        given, element = Tile(*emit_fields(context, builder, tile, arguments[5])), context.get_value_type(tile.typeof("alpha"))
        most_lanes = lanes.literal_value
        whole = builder.udiv(builder.add(given.columns, I64(most_lanes - 1)), I64(most_lanes))
        rest = builder.urem(given.columns, I64(most_lanes))
        masked = builder.icmp_unsigned("!=", rest, I64(0))
        half = builder.icmp_unsigned("<=", rest, I64(most_lanes // 2 * halves.literal_value))
        last = builder.select(masked, builder.select(half, I64(HALF), I64(MASKED)), I64(WHOLE))
        row = builder.add(builder.mul(whole, I64(MAX_NR)), given.rows)
        cases = {
            (wide * MAX_NR + rows) * len(TAILS) + tail: partial(
                emit_tile, builder, Shape(element, most_lanes, wide, rows, tail), given
            )
            for wide, most in most_rows.items()
            for rows in range(1, most + 1)
            for tail in TAILS[: 3 if halves.literal_value else 2]
        }
        emit_switch(builder, builder.add(builder.mul(row, I64(len(TAILS))), last), cases)
        return context.get_dummy_value()

    return types.void(lanes, vectors, registers, early, halves, tile), generate


class Shape(NamedTuple):
    """What one loop is emitted for: LLVM's type of an element, lanes of a vector, vectors and rows, and one of `TAILS`."""

    element: Any
    lanes: int
    vectors: int
    rows: int
    tail: int

    @property
    def size(self) -> int:
        """Bytes of an element."""
        return 4 if self.element == ir.FloatType() else 8

    @property
    def widths(self) -> list[int]:
        """Lanes of each vector of a row."""
        return [self.lanes] * (self.vectors - 1) + [self.lanes // 2 if self.tail == HALF else self.lanes]

    @property
    def groups(self) -> int:
        """Pointers into a, each of which reaches `STRIDE_SCALES` rows."""
        return -(-self.rows // STRIDE_SCALES)

    def vector(self, builder: Any, address: Any, place: int, mask: Any) -> tuple[Any, Any]:
        """Pointer to a vector of the row at an address, and its mask: the last one's, or none."""
        kind = ir.VectorType(self.element, self.widths[place]).as_pointer()
        pointer = builder.inttoptr(builder.add(address, I64(place * self.lanes * self.size)), kind)
        return pointer, mask if place == self.vectors - 1 else None


def emit_tile(builder: Any, shape: Shape, tile: Tile) -> None:
    """The loop of one shape: over the k chunks, and in each over the depth; then the update of c."""
    zeros = [ir.Constant(ir.VectorType(shape.element, each), None) for each in shape.widths]
    beyond = builder.sub(tile.columns, I64((shape.vectors - 1) * shape.lanes)) if shape.tail else None
    mask = emit_mask(builder, shape.widths[-1], beyond) if shape.tail else None
    starts = [builder.add(tile.a, builder.mul(tile.a_row, I64(STRIDE_SCALES * group))) for group in range(shape.groups)]
    reach = [I64(0), tile.a_row, builder.mul(tile.a_row, I64(2))]

    def chunk(left: Any, prefetched: Any, beta: Any, b: Any, *pointers: Any) -> list[Any]:
        """A chunk of what is left of the depth, and what is left then; so many rows of c are prefetched first."""
        depth = builder.select(builder.icmp_unsigned("<", left, tile.chunk), left, tile.chunk)
        steps = partial(emit_steps, builder, shape, tile, (mask, reach))
        # What the longer loops leave over goes first: without it, or behind them, LLVM spills. A tail, rarer, has no others.
        carried = [b, *pointers, *zeros * shape.rows]
        turns = I64(0) if shape.tail else builder.udiv(depth, I64(UNROLLED))
        carried = emit_loop(builder, builder.sub(depth, builder.mul(turns, I64(UNROLLED))), carried, partial(steps, 1))
        if not shape.tail:
            carried = emit_turns(builder, shape, tile, (turns, prefetched), carried, partial(steps, UNROLLED))
        reached, totals = carried[: 1 + shape.groups], carried[1 + shape.groups :]
        places = [
            shape.vector(builder, builder.add(tile.c, builder.mul(tile.c_row, I64(i))), place, mask)
            for i in range(shape.rows)
            for place in range(shape.vectors)
        ]
        emit_update(builder, totals, places, tile.alpha, beta, shape.size)
        return [builder.sub(left, depth), I64(0), ir.Constant(shape.element, 1.0), *reached]

    emit_until_none(builder, [tile.depth, I64(shape.rows), tile.beta, tile.b, *starts], chunk)


def emit_turns(
    builder: Any, shape: Shape, tile: Tile, counts: tuple[Any, Any], carried: list[Any], steps: Callable[..., list[Any]]
) -> list[Any]:
    """Turns of some steps of the depth. Each prefetches as much of a row of a ahead; so many of the first, a row of c."""

    def turn(b: Any, *rest: Any) -> list[Any]:
        emit_prefetch(builder, builder.inttoptr(builder.add(rest[0], tile.ahead), cgutils.voidptr_t))
        return steps(b, *rest)

    def turn_with_prefetch(c: Any, *rest: Any) -> list[Any]:
        for place in range(-(-shape.vectors * shape.lanes * shape.size // LINE)):
            emit_prefetch(builder, builder.inttoptr(builder.add(c, I64(place * LINE)), cgutils.voidptr_t), write=True)
        return [builder.add(c, tile.c_row), *turn(*rest)]

    turns, prefetched = counts
    first = builder.select(builder.icmp_unsigned("<", turns, prefetched), turns, prefetched)
    _, *carried = emit_loop(builder, first, [tile.c, *carried], turn_with_prefetch)
    return emit_loop(builder, builder.sub(turns, first), carried, turn)


def emit_steps(builder: Any, shape: Shape, tile: Tile, common: tuple[Any, Any], count: int, b: Any, *rest: Any) -> list[Any]:
    """So many steps of the depth, and where they lead: the row of b, the pointers into a, the sums.

    `common` is the last vector's mask, and the bytes to the rows that each pointer reaches.
    """
    (mask, reach), pointers, sums = common, rest[: shape.groups], rest[shape.groups :]
    for step in range(count):
        vectors = [emit_load(builder, *shape.vector(builder, b, place, mask), shape.size) for place in range(shape.vectors)]
        totals = []
        for i in range(shape.rows):
            address = builder.add(builder.add(pointers[i // STRIDE_SCALES], reach[i % STRIDE_SCALES]), I64(step * shape.size))
            value = builder.load(builder.inttoptr(address, shape.element.as_pointer()), align=shape.size)
            factors = _spread(builder, value, shape.widths)
            totals += [multiply_add(builder, *each) for each in zip(factors, vectors, sums[i * shape.vectors :], strict=False)]
        b, sums = builder.add(b, tile.b_row), tuple(totals)
    return [b, *(_apart(builder, builder.add(pointer, I64(count * shape.size))) for pointer in pointers), *sums]


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

    Else it keeps one pointer instead of five and reaches the other rows from it by additions of addresses (lea), which
    take every third slot of a port that multiply-adds need.
    """
    identity = ir.InlineAsm(ir.FunctionType(I64, [I64]), "", "=r,0", side_effect=False)
    return builder.call(identity, [address])


def multiply_add(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x y + z, fused where the CPU can."""
    return builder.fadd(builder.fmul(x, y, flags=FUSED), z, flags=FUSED)
