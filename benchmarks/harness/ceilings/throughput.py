"""Two loops that no compiler may improve on, written as LLVM vectors: multiply-adds in registers, and reads of memory.

They set the ceilings, so they must not depend on what the auto-vectoriser makes of a loop: LLVM prefers 256-bit vectors on
CPUs that have 512, and a ceiling measured through them would be half the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

CHAINS = 12
"""Independent accumulators: at least latency 4 times 2 a cycle, and few enough for 16 registers."""

FUSED = ("contract",)
"""One instruction where the CPU has it. Where it has not, LLVM's own fma calls a function, far below what two instructions do."""

INDEX, LANE = ir.IntType(64), ir.IntType(32)


@intrinsic(prefer_literal=True)
def multiply_add(typing: Any, count: Any, seed: Any, width: Any) -> Any:
    """``multiply_add(count, seed, width)``: `count` multiply-adds on each of `CHAINS` registers of `width` bytes; their sum."""
    if not isinstance(width, types.IntegerLiteral):
        return None  # numba asks again with the literal

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        count, seed, _ = arguments
        vector = _vector(seed.type, width.literal_value)
        undefined = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(undefined, seed, LANE(0))
        factor = builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(LANE, vector.count), None))

        def multiply_and_add(step: Any, chain: int, sum_: Any) -> Any:
            return builder.fadd(builder.fmul(sum_, factor, flags=FUSED), factor, flags=FUSED)

        return _accumulate(builder, vector, count, INDEX(1), multiply_and_add)

    return seed(types.int64, seed, width), generate


@intrinsic(prefer_literal=True)
def read(typing: Any, array: Any, passes: Any, width: Any) -> Any:
    """``read(array, passes, width)``: load a contiguous array in registers of `width` bytes, `passes` times; the sum.

    The array's length is a multiple of `CHAINS` registers.
    """
    if not isinstance(width, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(array)(context, builder, arguments[0])
        vector = _vector(context.get_value_type(array.dtype), width.literal_value)
        start = builder.bitcast(view.data, vector.as_pointer())
        rounds = builder.udiv(view.nitems, INDEX(vector.count * CHAINS))

        def load_and_add(step: Any, chain: int, sum_: Any) -> Any:
            place = builder.gep(start, [builder.add(builder.mul(step, INDEX(CHAINS)), INDEX(chain))])
            return builder.fadd(sum_, builder.load(place, align=array.dtype.bitwidth // 8))

        return _accumulate(builder, vector, rounds, arguments[1], load_and_add)

    return array.dtype(array, types.int64, width), generate


def _vector(element: Any, width: int) -> Any:
    return ir.VectorType(element, width // (4 if element == ir.FloatType() else 8))


def _accumulate(builder: Any, vector: Any, count: Any, passes: Any, advance: Callable[[Any, int, Any], Any]) -> Any:
    """Run `count` steps, `passes` times, on `CHAINS` sums in phi nodes, hence in registers; add up all of their lanes.

    No two sums start alike, or the compiler would merge them; all are returned, or it would drop them.
    """
    before = builder.block
    body = builder.append_basic_block("accumulate")
    after = builder.append_basic_block("accumulated")
    builder.branch(body)  # at least one step, which spares a phi for each sum behind the loop
    builder.position_at_end(body)
    step, finished = builder.phi(INDEX), builder.phi(INDEX)
    step.add_incoming(INDEX(0), before)
    finished.add_incoming(INDEX(0), before)
    sums = [builder.phi(vector) for _ in range(CHAINS)]
    for chain, sum_ in enumerate(sums):
        sum_.add_incoming(ir.Constant(vector, [float(chain)] * vector.count), before)
    advanced = [advance(step, chain, sum_) for chain, sum_ in enumerate(sums)]
    for sum_, new in zip(sums, advanced, strict=True):
        sum_.add_incoming(new, body)
    following = builder.add(step, INDEX(1))
    wrapped = builder.icmp_signed(">=", following, count)
    step.add_incoming(builder.select(wrapped, INDEX(0), following), body)
    done = builder.add(finished, builder.zext(wrapped, INDEX))
    finished.add_incoming(done, body)
    builder.cbranch(builder.icmp_signed("<", done, passes), body, after)
    builder.position_at_end(after)
    whole = advanced[0]
    for other in advanced[1:]:
        whole = builder.fadd(whole, other)
    total = builder.extract_element(whole, LANE(0))
    for lane in range(1, vector.count):
        total = builder.fadd(total, builder.extract_element(whole, LANE(lane)))
    return total
