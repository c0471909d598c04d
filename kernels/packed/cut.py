"""How a product is cut: into parts for its threads, each of them into kc panels and blocks, and a block into tasks.

All pieces of a length are as equal as can be, not full ones and a rest: 256 rows are 41 micropanels of six and two of five.
"""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.emit import LINE
from kernels.jit.memory import one, size_of, zero
from kernels.jit.records import layout_of, record_on_stack
from kernels.packed.microkernel import UNROLLED
from kernels.packed.packing import ROWS_AT_ONCE
from kernels.packed.plan import ROW_PADDING, block_of, ceil_div, counters, microtile, own, split

TASKS_A_THREAD = 4
"""At least, where there are so many microtiles: the others wait at the end for the last thread's task."""

MICROPANELS_A_THREAD = 2
"""At least, to cut the columns: with fewer, tasks would be too small, or too unequal."""

DEPTH_A_THREAD = 640
"""At least, to cut the depth: with less, to add the sums up costs more than it brings."""

CUT = (
    "nr",  # rows of a microtile, and of a micropanel of a
    "mr",  # columns of a microtile, and of a micropanel of b
    "micropanels",  # of a
    "depth_parts",  # into how many parts the depth is cut
    "column_parts",  # into how many parts the columns are cut
    "parts",  # of both
    "panels",  # kc panels of a part
    "blocks",  # of a part's kc panel
    "packs",  # whether blocks are packed
    "scattered",  # whether rows of b lie far apart
    "packing_tasks",  # of a block
    "groups",  # of a block's micropanels: a task is a micropanel of a by one of them
    "tasks",  # of a block: packing and multiplying
    "sums_row",  # bytes of a row of the sums of a part of the depth
    "packed_a",  # address of this thread's packed micropanel of a
    "packed_a_row",  # bytes between its rows
    "spare",  # address of this thread's microtile of c, for a c whose rows are not contiguous
)
"""Fields of a cut."""

BLOCK = (
    "counters",  # address of its part's
    "first",  # of its part's tasks, the first of this block
    "ready",  # the first that multiplies
    "end",  # the first after this block
    "k",  # of b's rows, the first of this block
    "depth",  # rows
    "columns",
    "micropanels",
    "source",  # address of the block in b
    "packed",  # address of the packed block
    "b",  # address of what the microkernel reads
    "b_row",  # bytes between its rows
    "micropanel_bytes",  # and between its micropanels
    "c",  # address of what the products are added to
    "c_row",
    "c_column",
    "beta",  # by which that is multiplied first
)
"""Fields of a block: what its tasks share."""

new_cut, new_block = record_on_stack(layout_of(CUT)), record_on_stack(layout_of(BLOCK))
"""``new_cut(like)`` and ``new_block(like)``, for elements of the dtype of `like`."""


@inner
def straddles(plan: Any, b: Any, bytes_: int) -> bool:
    """Whether vectors of b straddle cache lines, as in numpy's arrays, and both lines come from L2 each time."""
    return (b.at | b.row) % LINE != 0 and bytes_ > plan.straddling_bytes


@inner
def is_scattered(plan: Any, b: Any, bytes_: int) -> bool:
    """Whether rows of b are so far apart that it is slow to go down a few columns of them."""
    return bytes_ > plan.direct_bytes and abs(b.row) >= plan.scattered_bytes


@inner
def cut_depth(plan: Any, m: int, n: int, sums_row: int, threads: int) -> int:
    """Into how many parts the depth is cut: one for each thread, if it is long and a c for each fits beside a kc panel of b."""
    fits = (plan.kc + 2 * UNROLLED + m) * sums_row <= plan.block_bytes
    return threads if fits and n >= DEPTH_A_THREAD * threads else 1


@inner
def sums_of(plan: Any, part: int, m: int, sums_row: int) -> int:
    """Where a part of the depth has its c: at the end of its block."""
    return block_of(plan, part) + plan.block_bytes - m * sums_row


@inner
def cut_product(plan: Any, product: Any, cut: Any, thread: int) -> None:
    """Cut a product for its threads, and by the sizes of the caches; and find a thread's own memory."""
    m, n, threads, size = product.m, product.n, product.threads, size_of(product.alpha)
    cut.nr, cut.mr = microtile(plan, m, product.p)
    cut.micropanels, columns = ceil_div(m, cut.nr), ceil_div(product.p, cut.mr)
    cut.sums_row = columns * cut.mr * size
    cut.column_parts = threads if columns >= MICROPANELS_A_THREAD * threads else 1
    cut.depth_parts = cut_depth(plan, m, n, cut.sums_row, threads // cut.column_parts)
    cut.parts = cut.column_parts * cut.depth_parts
    cut.panels = ceil_div(ceil_div(n, cut.depth_parts), plan.kc)

    bytes_ = n * product.p * size
    cut.scattered = is_scattered(plan, product.b, bytes_)
    cut.packs = (
        product.b.column != size
        or (cut.scattered and m >= plan.rows_to_pack_for)
        or (m >= 2 * plan.rows_to_pack_for and straddles(plan, product.b, bytes_))
    )
    deepest = n // (cut.depth_parts * cut.panels) + 2 * UNROLLED
    most = plan.l2_block_bytes if m * deepest * size < plan.l3_from_bytes else plan.block_bytes
    cut.blocks = ceil_div(ceil_div(columns, cut.column_parts), most // size // deepest // cut.mr)
    cut.packing_tasks = ceil_div(deepest, ROWS_AT_ONCE) if cut.packs else 0
    cut.groups = 1
    if threads > 1:
        wanted = ceil_div(TASKS_A_THREAD * threads, cut.parts * cut.micropanels)
        cut.groups = max(1, min(columns // (cut.column_parts * cut.blocks), wanted))
    cut.tasks = cut.packing_tasks + cut.micropanels * cut.groups

    cut.packed_a, cut.packed_a_row = own(plan, thread), (plan.kc + UNROLLED) * size + ROW_PADDING
    cut.spare = cut.packed_a + cut.nr * cut.packed_a_row


@inner
def locate_block(plan: Any, product: Any, cut: Any, block: Any, part: int, panel: int, step: int) -> None:
    """Find the operands and the tasks of a part's block: the one of this step along its kc panel."""
    size, b, c = size_of(product.alpha), product.b, product.c
    block.counters, block.packed = counters(plan, part), block_of(plan, part)
    block.first = (panel * cut.blocks + step) * cut.tasks
    block.ready, block.end = block.first + cut.packing_tasks, block.first + cut.tasks

    depth_part, column_part = part % cut.depth_parts, part // cut.depth_parts
    piece, pieces = depth_part * cut.panels + panel, cut.depth_parts * cut.panels
    k, end = split(product.n // UNROLLED, piece, pieces)
    block.k = k * UNROLLED
    block.depth = (end * UNROLLED if piece + 1 < pieces else product.n) - block.k
    start, stop = split(ceil_div(product.p, cut.mr), column_part * cut.blocks + step, cut.column_parts * cut.blocks)
    block.micropanels, j = stop - start, start * cut.mr
    block.columns = min(product.p, stop * cut.mr) - j

    block.source = b.at + block.k * b.row + j * b.column
    block.b, block.b_row, block.micropanel_bytes = block.source, b.row, cut.mr * size
    if cut.packs:
        block.b, block.b_row, block.micropanel_bytes = block.packed, cut.mr * size, block.depth * cut.mr * size
    block.c, block.c_row, block.c_column, block.beta = c.at + j * c.column, c.row, c.column, product.beta
    if depth_part > 0:
        block.c = sums_of(plan, part, product.m, cut.sums_row) + j * size
        block.c_row, block.c_column, block.beta = cut.sums_row, size, zero(product.alpha)
    if panel > 0:
        block.beta = one(product.alpha)
