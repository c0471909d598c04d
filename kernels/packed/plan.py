"""The records that the loops work by, and where a workspace has them.

A workspace is memory that a thread of the caller keeps for its products. At its head are two records, the plan and the product;
then each thread that takes part has its counters of tasks, its packed block of b, and memory of its own:

    plan | product | counters, block, own | counters, block, own | ...
                     thread 0               thread 1
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kernels.jit.caching import inner
from kernels.jit.emit import LINE
from kernels.jit.records import address_of, layout_of, record_at
from kernels.jit.tasks import COUNTERS_BYTES
from kernels.packed.microkernel import MAX_NR, max_nr

ROW_PADDING = 64
"""Bytes between packed rows of a, so that they do not fall into the same cache sets."""


class Plan(NamedTuple):
    """What the loops go by on this CPU: whole numbers, which compiled code reads from a record of the same fields."""

    pool: int
    """Address of the pool of threads."""
    microkernel: int
    """Address of the compiled microkernel; the next five are addresses, too."""
    dots: int
    """Dot products of a few rows and columns."""
    blocked: int
    """The loops around the microkernel."""
    few_columns: int
    """The loops around dot products, for a product with few columns."""
    one_row: int
    """The loops of a product with one row."""
    serve: int
    """What each thread of the pool calls: its part in the product."""
    registers: int
    """Vector registers of the CPU."""
    early: int
    """Whether LLVM loads elements of a early; see `Vectors`."""
    lanes: int
    """Elements of a vector register."""
    mr: int
    """The most columns of a microtile."""
    kc: int
    """The most rows of b in a kc panel."""
    serial: int
    """Up to so many multiply-adds a product is made by one thread."""
    direct_bytes: int
    """A b of up to so many bytes is read where it lies, if it does not straddle."""
    straddling_bytes: int
    """A b of up to so many bytes is read where it lies, though its vectors straddle cache lines."""
    rows_to_pack_for: int
    """With fewer rows of a, a scattered b is not packed."""
    scattered_bytes: int
    """Bytes between rows of b from which it is scattered."""
    strip: int
    """Rows of a scattered b that is not packed which are gone along at a time."""
    dot_extra: int
    """Elements of the depth that take as long as to begin and to end a dot product."""
    l3_from_bytes: int
    """Bytes of a kc panel of a from which the block of b is as large as L3 serves, and not L2."""
    l2_block_bytes: int
    """Bytes of a block of b in L2."""
    block_bytes: int
    """Workspace for a block of b."""
    own_bytes: int
    """Workspace for a thread's packed rows of a, and a microtile of c."""
    threads: int
    """Threads that there is workspace for."""

    def workspace_bytes(self, threads: int) -> int:
        """Bytes that so many threads need."""
        return HEAD_BYTES + threads * (COUNTERS_BYTES + self.block_bytes + self.own_bytes)


plan_layout = layout_of(Plan._fields)
PLAN = plan_layout(np.dtype(np.int64))

OPERAND = np.dtype([("at", np.int64), ("row", np.int64), ("column", np.int64)], align=True)
"""A matrix: the address of its first element, and the bytes from one row, and from one column, to the next."""


def product_layout(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A product, c = alpha a b + beta c with a (m, n), b (n, p) and c (m, p); its threads; and the address of the loops."""
    sizes = [(name, np.int64) for name in ("m", "n", "p", "threads", "loops")]
    return np.dtype([*sizes, *((name, OPERAND) for name in "abc"), ("alpha", dtype), ("beta", dtype)], align=True)


plan_at, product_at = record_at(plan_layout), record_at(product_layout)
"""``plan_at(address, like)`` and ``product_at(address, like)``: the records there, for elements of the dtype of `like`."""


def lines(bytes_: int) -> int:
    """As many bytes, to a multiple of a cache line."""
    return -(-bytes_ // LINE) * LINE


PRODUCT_AT = lines(PLAN.itemsize)
"""Bytes from a workspace's address to the product's record."""

HEAD_BYTES = PRODUCT_AT + lines(product_layout(np.dtype(np.float64)).itemsize)
"""Bytes of both records: there the first thread's counters begin."""


def own_bytes(mr: int, depth: int, size: int) -> int:
    """Workspace for so many elements of the rows of a of a microtile, and for a microtile of c."""
    return lines(MAX_NR * (depth * size + ROW_PADDING + mr * size))


@inner
def counters(plan: Any, part: int) -> int:
    """Where a part of the product has the counters of its tasks."""
    return address_of(plan) + HEAD_BYTES + part * (COUNTERS_BYTES + plan.block_bytes + plan.own_bytes)


@inner
def block_of(plan: Any, part: int) -> int:
    """Where a part of the product has its packed block of b."""
    return counters(plan, part) + COUNTERS_BYTES


@inner
def own(plan: Any, thread: int) -> int:
    """Where a thread has what no other thread sees."""
    return block_of(plan, thread) + plan.block_bytes


@inner
def microtile(plan: Any, m: int, p: int) -> tuple[int, int]:
    """Rows nr and columns mr of the microtiles of an (m, p) product.

    The p columns are cut into equal vectors. An m between nr and `MAX_NR` is one microtile high: then mr is smaller.
    """
    across = ceil_div(p, plan.lanes)
    vectors = ceil_div(across, ceil_div(across, plan.mr // plan.lanes))
    while vectors > 1 and max_nr(vectors, plan.registers, plan.early) < m <= MAX_NR:
        vectors -= 1
    return max_nr(vectors, plan.registers, plan.early), vectors * plan.lanes


@inner
def ceil_div(number: int, by: int) -> int:
    """A quotient of positive numbers, rounded up."""
    return -(-number // by)


@inner
def split(length: int, piece: int, pieces: int) -> tuple[int, int]:
    """Where a piece begins and ends, of pieces as equal as can be."""
    return length * piece // pieces, length * (piece + 1) // pieces
