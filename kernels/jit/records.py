"""Records in memory, which compiled code reads and writes by field.

A record is a numpy dtype with fields. Numba's value of one is a pointer: it goes from function to function in a register, and a
field of it is a load or a store at a fixed offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import as_dtype

I64 = ir.IntType(64)

Layout = Callable[["np.dtype[Any]"], "np.dtype[Any]"]
"""From the dtype of the elements that a computation works on to that of a record for it."""

FACTORS = ("alpha", "beta")
"""Fields that are numbers of the elements' dtype; all others are whole numbers."""


def layout_of(fields: Iterable[str]) -> Layout:
    """The layout of a record of whole numbers, and of `FACTORS`."""
    names = tuple(fields)

    def layout(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype([(name, dtype if name in FACTORS else np.int64) for name in names], align=True)

    return layout


def offset_of(record: np.dtype[Any], field: str) -> int:
    """Bytes from a record's address to a field."""
    return int(record.fields[field][1])  # type: ignore[index]


def record_at(layout: Layout) -> Any:
    """An instruction ``at(address, like)``: the record at an address, laid out for elements of the dtype of `like`."""

    @intrinsic
    def at(typing: Any, address: Any, like: Any) -> Any:
        kind = from_dtype(layout(as_dtype(like)))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(kind))

        return kind(types.int64, like), generate

    return at


def record_on_stack(layout: Layout) -> Any:
    """An instruction ``new(like)``: a record, not yet written, which is gone when the function that calls it returns."""

    @intrinsic
    def new(typing: Any, like: Any) -> Any:
        kind = from_dtype(layout(as_dtype(like)))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            words = ir.ArrayType(I64, -(-kind.size // 8))  # aligned, as an array of bytes would not be
            with builder.goto_entry_block():  # once, not in each turn of a loop
                place = builder.alloca(words)
            return builder.bitcast(place, context.get_value_type(kind))

        return kind(like), generate

    return new


@intrinsic
def address_of(typing: Any, record: Any) -> Any:
    """``address_of(record)``: where it lies."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], I64)

    return types.int64(record), generate


def emit_fields(context: Any, builder: Any, kind: Any, record: Any) -> list[Any]:
    """Emit the loads of all fields of a record of numba's type `kind`, in their order."""
    return [
        builder.load(cgutils.get_record_member(builder, record, kind.offset(name), context.get_data_type(kind.typeof(name))))
        for name in kind.fields
    ]
