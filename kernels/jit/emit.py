"""LLVM's instructions, which intrinsics of compiled code emit: vectors, masks, prefetches, loops and switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

LINE = 64
"""Bytes of a cache line, which a prefetch brings; where lines are longer, the next one finds it there."""

FUSED = ("contract", "reassoc", "nsz")
"""What LLVM may do with these operations: fuse and regroup them, but not assume finite values."""

I64 = ir.IntType(64)


def emit_total(builder: Any, vector: Any) -> Any:
    """Emit the sum of a vector's lanes."""
    kind = vector.type
    name = f"llvm.vector.reduce.fadd.{_suffix(kind)}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind.element, [kind.element, kind]), name)
    return builder.call(function, [ir.Constant(kind.element, -0.0), vector], fastmath=FUSED)


def emit_lanes(builder: Any, vector: Any) -> list[Any]:
    """Emit the numbers in a vector's lanes."""
    return [builder.extract_element(vector, ir.Constant(ir.IntType(32), lane)) for lane in range(vector.type.count)]


def emit_four_totals(builder: Any, vectors: Sequence[Any]) -> Any:
    """Emit a vector of the sums of the lanes of each of four vectors."""
    u, v, w, x = vectors
    lanes = u.type.count

    def folded(u: Any, v: Any, left: list[int], right: list[int]) -> Any:
        return builder.fadd(emit_shuffle(builder, u, v, left), emit_shuffle(builder, u, v, right), flags=FUSED)

    def neighbours(u: Any, v: Any) -> Any:
        """Of each four lanes two sums of u and two of v."""
        left = [block + lane for block in range(0, lanes, 4) for lane in (0, 2, lanes, lanes + 2)]
        return folded(u, v, left, [lane + 1 for lane in left])

    if lanes < 4:
        made = ir.Constant(ir.VectorType(u.type.element, 4), ir.Undefined)
        for lane, each in enumerate(vectors):
            made = builder.insert_element(made, emit_total(builder, each), ir.Constant(ir.IntType(32), lane))
        return made
    sums = neighbours(neighbours(u, v), neighbours(w, x))  # of each four lanes one of each
    while lanes > 4:
        lanes //= 2
        sums = folded(sums, sums, list(range(lanes)), list(range(lanes, 2 * lanes)))
    return sums


def emit_shuffle(builder: Any, x: Any, y: Any, lanes: Sequence[int]) -> Any:
    """Emit a vector of those lanes of x, and of y, counted on."""
    return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


def emit_broadcast(builder: Any, value: Any, lanes: int) -> Any:
    """Emit a vector of one value."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), lanes), None))


def emit_prefetch(builder: Any, pointer: Any, write: bool = False, first_level: bool = True) -> None:
    """Emit a prefetch, to read or to write; a pointer to what is not there does no harm."""
    flag = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, flag, flag, flag])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [pointer, flag(int(write)), flag(3 if first_level else 2), flag(1)])  # of data


def emit_mask(builder: Any, lanes: int, count: Any) -> Any:
    """A vector of bits, true for the first `count` lanes."""
    places = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes)))
    return builder.icmp_signed("<", places, emit_broadcast(builder, builder.trunc(count, ir.IntType(32)), lanes))


def emit_load(builder: Any, pointer: Any, mask: Any, size: int) -> Any:
    """Load a vector of elements of so many bytes; with a mask those that it names, and zeros, and nothing else is touched."""
    if mask is None:
        return builder.load(pointer, align=size)
    vector = pointer.type.pointee
    kind = ir.FunctionType(vector, [pointer.type, ir.IntType(32), mask.type, vector])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.load.{_suffix(vector)}.p0")
    return builder.call(function, [pointer, ir.IntType(32)(size), mask, ir.Constant(vector, None)])


def emit_store(builder: Any, value: Any, pointer: Any, mask: Any, size: int) -> None:
    """Store a vector; with a mask the elements that it names."""
    if mask is None:
        builder.store(value, pointer, align=size)
        return
    kind = ir.FunctionType(ir.VoidType(), [value.type, pointer.type, ir.IntType(32), mask.type])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.store.{_suffix(value.type)}.p0")
    builder.call(function, [value, pointer, ir.IntType(32)(size), mask])


def _suffix(vector: Any) -> str:
    return f"v{vector.count}f{32 if vector.element == ir.FloatType() else 64}"


def emit_until_none(builder: Any, carried: Sequence[Any], body: Callable[..., list[Any]]) -> None:
    """Carry values round a loop, at least once, until the first of them is zero."""
    start, loop, end = builder.block, builder.append_basic_block("part"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    values = [builder.phi(each.type) for each in carried]
    results = body(*values)
    for phi, first, following in zip(values, carried, results, strict=True):
        phi.add_incoming(first, start)
        phi.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_unsigned("!=", results[0], I64(0)), loop, end)
    builder.position_at_end(end)


def emit_switch(builder: Any, number: Any, cases: Mapping[int, Callable[[], None]]) -> None:
    """Emit the case of a number, which is one of them."""
    end, impossible = (builder.append_basic_block(name) for name in ("end", "impossible"))
    switch = builder.switch(number, impossible)
    builder.position_at_end(impossible)
    builder.unreachable()
    for value, emit_case in cases.items():
        block = builder.append_basic_block(f"case.{value}")
        switch.add_case(I64(value), block)
        builder.position_at_end(block)
        emit_case()
        builder.branch(end)
    builder.position_at_end(end)


def emit_loop(builder: Any, times: Any, carried: Sequence[Any], body: Callable[..., list[Any]]) -> list[Any]:
    """Carry values round a loop that many times, or past it if that is none."""
    start = builder.block
    loop, end = builder.append_basic_block("depth"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_unsigned("!=", times, I64(0)), loop, end)
    builder.position_at_end(loop)
    left, *values = (builder.phi(each.type) for each in (times, *carried))
    results = [builder.sub(left, I64(1)), *body(*values)]
    for phi, first, following in zip([left, *values], [times, *carried], results, strict=True):
        phi.add_incoming(first, start)
        phi.add_incoming(following, loop)
    builder.cbranch(builder.icmp_unsigned("!=", results[0], I64(0)), loop, end)
    builder.position_at_end(end)
    found = [builder.phi(each.type) for each in carried]
    for phi, first, following in zip(found, carried, results[1:], strict=True):
        phi.add_incoming(first, start)
        phi.add_incoming(following, loop)
    return found
