"""Compiled functions called by their address: what calls them is compiled without them, and does not wait for them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def address(function: Any) -> int:
    """Where the machine code of a compiled function of one signature lies."""
    (overload,) = function.overloads.values()
    return int(overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name))


@intrinsic
def call(typing: Any, where: Any, *kinds: Any) -> Any:
    """``call(where, *arguments)``: call the function at an address, which returns nothing; arguments are of its very types."""
    kinds = tuple(types.int64 if isinstance(kind, types.Integer) else kind for kind in kinds)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.call_conv.get_function_type(types.none, kinds)
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        context.call_conv.call_function(builder, function, types.none, kinds, cgutils.unpack_tuple(builder, arguments[1]))
        return context.get_dummy_value()

    return types.void(types.int64, types.StarArgTuple.from_types(kinds)), generate


@intrinsic
def call_int(typing: Any, where: Any, *words: Any) -> Any:
    """``call_int(where, *arguments)``: call the C function at an address, whose arguments fit a register each; return its int."""
    words = tuple(types.int64 for _ in words)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(64) for _ in words])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        return builder.sext(builder.call(function, cgutils.unpack_tuple(builder, arguments[1])), ir.IntType(64))

    return types.int64(types.int64, types.StarArgTuple.from_types(words)), generate
