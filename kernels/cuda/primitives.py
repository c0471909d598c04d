"""What Python has no word for on a GPU, an LLVM intrinsic each: 128-bit loads, asynchronous copies, unrolled calls, tensor cores.

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
    from kernels.cuda.simulated import (
        add_product,
        commit_copies,
        copy_async,
        inlined,
        load,
        load_fragments,
        looped,
        matrix,
        rounded_pair,
        store,
        unrolled,
        wait_copies,
    )  # fmt: skip
else:
    from llvmlite import ir
    from numba.cuda import cgutils
    from numba.cuda.extending import intrinsic
    from numba.cuda.np.arrayobj import populate_array

    I32, I64, F32 = ir.IntType(32), ir.IntType(64), ir.FloatType()
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
                _in_shared(builder, target),
                builder.ptrtoint(builder.addrspacecast(origin, element.as_pointer(GLOBAL)), I64),
                builder.mul(arguments[5], I32(to.dtype.bitwidth // 8)),
            ]
            _assembly(builder, f"cp.async.{cache}.shared.global [$0], [$1], {size}, $2;", values)
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

    @intrinsic
    def load_fragments(typing: Any, to: Any, first: Any, source: Any, start: Any, plus: Any, transposed: Any) -> Any:
        """``load_fragments(to, first, source, start, plus, transposed)``: four 8 x 8 matrices of 16 bits from shared memory.

        Each lane names where a row of 8 starts: lanes 0 to 7 those of the first matrix, and so on. It gets four uint32, a pair of
        each matrix as `add_product` wants it (PTX ISA, "ldmatrix").
        """
        if not isinstance(transposed, types.BooleanLiteral):
            return None
        way = ".trans" if transposed.literal_value else ""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _in_shared(builder, _at(context, builder, source, *arguments[2:5]))
            text = f"ldmatrix.sync.aligned.m8n8.x4{way}.shared.b16 {{$0, $1, $2, $3}}, [$4];"
            loaded = _assembly(builder, text, [place], [I32] * 4)
            for i in range(4):
                builder.store(builder.extract_value(loaded, i), _at(context, builder, to, *arguments[:2], I64(i)))
            return context.get_dummy_value()

        return types.void(to, types.uint64, source, types.uint64, types.uint64, transposed), generate

    @intrinsic
    def add_product(typing: Any, sums: Any, to: Any, a: Any, a0: Any, b: Any, b0: Any) -> Any:
        """``add_product(sums, to, a, a0, b, b0)``: a warp adds a 16 x 16 by 16 x 8 product of bfloat16 to 16 x 8 sums of float32.

        A lane has four uint32 of a, two of b, and four sums (PTX ISA, "Matrix Fragments for mma.m16n8k16").
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            places = [_at(context, builder, sums, *arguments[:2], I64(i)) for i in range(4)]
            places_a = [_at(context, builder, a, *arguments[2:4], I64(i)) for i in range(4)]
            places_b = [_at(context, builder, b, *arguments[4:6], I64(i)) for i in range(2)]
            text = (
                "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
                " {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};"
            )
            values = [builder.load(place) for place in places_a + places_b + places]
            added = _assembly(builder, text, values, [F32] * 4, pure=True)
            for i, place in enumerate(places):
                builder.store(builder.extract_value(added, i), place)
            return context.get_dummy_value()

        return types.void(sums, types.uint64, a, types.uint64, b, types.uint64), generate

    @intrinsic
    def rounded_pair(typing: Any, low: Any, high: Any) -> Any:
        """``rounded_pair(low, high)``: two float32 as bfloat16, the nearest, in a uint32."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _assembly(builder, "cvt.rn.bf16x2.f32 $0, $2, $1;", arguments, [I32], pure=True)

        return types.uint32(types.float32, types.float32), generate

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

    def _in_shared(builder: Any, place: Any) -> Any:
        """A pointer as an address of shared memory, which PTX has in 32 bits."""
        return builder.ptrtoint(builder.addrspacecast(place, place.type.pointee.as_pointer(SHARED)), I32)

    LETTERS = {I32: "r", I64: "l", F32: "f"}
    """What inline PTX calls registers."""

    def _assembly(builder: Any, text: str, values: Any = (), results: Any = (), pure: bool = False) -> Any:
        """PTX, its result or a structure of them; unless it is pure, it changes memory, so that nothing is moved past it."""
        result = ir.LiteralStructType(results) if len(results) > 1 else results[0] if results else ir.VoidType()
        constraints = [f"={LETTERS[kind]}" for kind in results] + [LETTERS[value.type] for value in values]
        kind = ir.FunctionType(result, [value.type for value in values])
        clobbers = ",".join(constraints + ["~{memory}"] * (not pure))
        return builder.call(ir.InlineAsm(kind, text, clobbers, side_effect=not pure), values)

    @inlined
    def looped(count: Any, function: Any, arguments: Any) -> None:
        """What `unrolled` does, as a loop."""
        i = 0
        while i < count:
            function(types.uint64(i), *arguments)
            i += 1


__all__ = [
    "VECTOR_BYTES", "add_product", "commit_copies", "copy_async", "cuda", "inlined", "load", "load_fragments", "looped",
    "matrix", "rounded_pair", "store", "unrolled", "wait_copies",
]  # fmt: skip
