"""What Python has no word for on a GPU: 128-bit loads and stores, asynchronous copies, unrolled calls, each an LLVM intrinsic.

All that ties the kernels to numba-cuda's compiler is in this file. In its simulator, which runs a kernel in Python, the same
names come from `kernels.cuda.simulated`.

Positions in arrays are flat and in elements, and are given in parts that are added up: a part that is constant ends in the
instruction itself. They are uint64, since a narrower one costs a mask at each use.
"""

from __future__ import annotations

from typing import Any

import numba_cuda  # noqa: F401 (numba has a numba.cuda of its own, without what follows)
from numba import cuda, types
from numba.cuda.core import config

VECTOR_BYTES = 16
"""The widest load, store or copy of one thread."""

config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # a small product is launched on purpose

if config.ENABLE_CUDASIM:
    from kernels.cuda.simulated import commit_copies, copy_async, inlined, load, looped, matrix, store, unrolled, wait_copies
else:
    from llvmlite import ir
    from numba.cuda import cgutils
    from numba.cuda.extending import intrinsic
    from numba.cuda.np.arrayobj import populate_array

    I32, I64 = ir.IntType(32), ir.IntType(64)
    GLOBAL, SHARED = 1, 3
    """Address spaces of NVVM IR."""

    inlined = cuda.jit(device=True, forceinline=True)
    """Decorates a device function; arrays that it is given stay in registers."""

    @intrinsic
    def matrix(typing: Any, operand: Any, dtype: Any) -> Any:
        """``matrix(operand, dtype)``: a device matrix from its address, rows, columns, and steps between them in elements."""
        kind = types.Array(dtype.dtype, 2, "A")

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            address, rows, columns, *steps = cgutils.unpack_tuple(builder, arguments[0])
            element = context.get_data_type(kind.dtype)
            size = I64(kind.dtype.bitwidth // 8)
            array = context.make_array(kind)(context, builder)
            populate_array(
                array,
                # Only as an address of global memory is it read by an instruction for that.
                data=builder.addrspacecast(builder.inttoptr(address, element.as_pointer(GLOBAL)), element.as_pointer()),
                shape=[rows, columns], strides=[builder.mul(step, size) for step in steps], itemsize=size, meminfo=None,
            )  # fmt: skip
            return array._getvalue()

        return kind(operand, dtype), generate

    @intrinsic
    def load(typing: Any, to: Any, first: Any, source: Any, start: Any, plus: Any, lanes: Any) -> Any:
        """``load(to, first, source, start, plus, lanes)``: so many elements into a local array, by one instruction."""
        if not isinstance(lanes, types.IntegerLiteral):
            return None  # numba asks again with the literal
        count = lanes.literal_value

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place, size = _vector_at(context, builder, source, count, arguments[2:5])
            vector = builder.load(place, align=size)
            for i in range(count):
                register = _at(context, builder, to, *arguments[:2], I64(i))
                builder.store(builder.extract_element(vector, I32(i)), register)
            return context.get_dummy_value()

        return types.void(to, types.uint64, source, types.uint64, types.uint64, lanes), generate

    @intrinsic
    def store(typing: Any, to: Any, start: Any, plus: Any, source: Any, first: Any, lanes: Any) -> Any:
        """``store(to, start, plus, source, first, lanes)``: so many elements of a local array, by one instruction."""
        if not isinstance(lanes, types.IntegerLiteral):
            return None
        count = lanes.literal_value

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place, size = _vector_at(context, builder, to, count, arguments[:3])
            vector = ir.Constant(place.type.pointee, ir.Undefined)
            for i in range(count):
                register = _at(context, builder, source, *arguments[3:5], I64(i))
                vector = builder.insert_element(vector, builder.load(register), I32(i))
            builder.store(vector, place, align=size)
            return context.get_dummy_value()

        return types.void(to, types.uint64, types.uint64, source, types.uint64, lanes), generate

    @intrinsic
    def copy_async(typing: Any, to: Any, start: Any, plus: Any, source: Any, at: Any, wanted: Any, lanes: Any) -> Any:
        """``copy_async(to, start, plus, source, at, wanted, lanes)``: have elements copied from global to shared memory.

        The first `wanted` are read and the rest are zeros (PTX ISA, "cp.async"). Nobody waits: see `wait_copies`.
        """
        if not isinstance(lanes, types.IntegerLiteral):
            return None
        size = lanes.literal_value * to.dtype.bitwidth // 8
        cache = "cg" if size == VECTOR_BYTES else "ca"  # only whole vectors go past the first level

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = context.get_data_type(to.dtype)
            target = _at(context, builder, to, *arguments[:3])
            origin = _at(context, builder, source, *arguments[3:5])
            values = [
                builder.ptrtoint(builder.addrspacecast(target, element.as_pointer(SHARED)), I32),
                builder.ptrtoint(builder.addrspacecast(origin, element.as_pointer(GLOBAL)), I64),
                builder.mul(arguments[5], I32(to.dtype.bitwidth // 8)),
            ]
            _assembly(builder, f"cp.async.{cache}.shared.global [$0], [$1], {size}, $2;", "r,l,r", values)
            return context.get_dummy_value()

        return types.void(to, types.uint64, types.uint64, source, types.uint64, types.uint32, lanes), generate

    @intrinsic
    def commit_copies(typing: Any) -> Any:
        """``commit_copies()``: the copies asked for since the last time are a group."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _assembly(builder, "cp.async.commit_group;")
            return context.get_dummy_value()

        return types.void(), generate

    @intrinsic
    def wait_copies(typing: Any, left: Any) -> Any:
        """``wait_copies(left)``: until no more than so many of this thread's groups are on their way."""
        if not isinstance(left, types.IntegerLiteral):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _assembly(builder, f"cp.async.wait_group {left.literal_value};")
            return context.get_dummy_value()

        return types.void(left), generate

    @intrinsic
    def unrolled(typing: Any, count: Any, function: Any, arguments: Any) -> Any:
        """``unrolled(count, function, arguments)``: call ``function(i, *arguments)`` for each i, a copy of the code each.

        So i is constant, as are indices reckoned from it: only where all are so is a local array in registers.
        """
        if not isinstance(count, types.IntegerLiteral):
            return None
        call = function.get_call_type(typing, (types.uint64, *arguments.types), {})

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            code = context.get_function(function, call)
            rest = cgutils.unpack_tuple(builder, values[2])
            for i in range(count.literal_value):
                code(builder, [I64(i), *rest])
            return context.get_dummy_value()

        return types.void(count, function, arguments), generate

    def _at(context: Any, builder: Any, kind: Any, array: Any, *parts: Any) -> Any:
        """A pointer to the flat position that the parts add up to, a step each."""
        place = context.make_array(kind)(context, builder, array).data
        for part in parts:
            place = builder.gep(place, [part], inbounds=True)
        return place

    def _vector_at(context: Any, builder: Any, kind: Any, lanes: int, arguments: Any) -> tuple[Any, int]:
        """A pointer to a vector of so many lanes, and its bytes."""
        vector = ir.VectorType(context.get_data_type(kind.dtype), lanes)
        place = builder.bitcast(_at(context, builder, kind, *arguments), vector.as_pointer())
        return place, lanes * kind.dtype.bitwidth // 8

    def _assembly(builder: Any, text: str, constraints: str = "", values: Any = ()) -> None:
        """PTX that changes memory, so that nothing is moved past it."""
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        clobbers = ",".join(filter(None, [constraints, "~{memory}"]))
        builder.call(ir.InlineAsm(kind, text, clobbers, side_effect=True), values)

    @inlined
    def looped(count: Any, function: Any, arguments: Any) -> None:
        """What `unrolled` does, as a loop."""
        i = 0
        while i < count:
            function(types.uint64(i), *arguments)
            i += 1


__all__ = [
    "VECTOR_BYTES", "commit_copies", "copy_async", "cuda", "inlined", "load", "looped", "matrix", "store", "unrolled",
    "wait_copies",
]  # fmt: skip
