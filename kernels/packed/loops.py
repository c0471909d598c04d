"""The loops around the microkernel, which decide what part of which operand is in which cache.

The order is Goto's, as in BLIS. Numpy's matrices lie by rows and BLIS's by columns, so that the operands change places: what BLIS
says of a is true here of b. In its words this is c' = b' a', with mr along a row of c and nr down a column.

    for each kc panel of b                kc rows of b, and kc columns of a
        for each block of it              kc x mc of b                       packed, in L2 or L3
            for each micropanel of a      nr x kc of a                       where it lies, in L1
                for each micropanel of b  kc x mr of the block               comes from there
                    the microkernel       nr x mr of c, a microtile          in registers

               b                 kc panel            block         micropanel
          +---------+           +---------+         +----+            ++
        n |         |        kc |         |      kc | mc |         kc ||   from L2 or L3
          |         |           +---------+         +----+            ++
          +---------+                                                 mr
       n       p            kc
     +---+---------+       +---+                                   kc  mr
     | a |    c    | m     |   | m                              nr +---++  microtile in registers,
     +---+---------+       +---+                                   +---++  micropanel of a in L1

`kernels.packed.reference` says the same in plain Python.

For several threads the product is cut into parts: by columns of b; where these are few, by the depth, each part with sums of
its own, which are added to c in the end; or not at all (see `cut`). The work of a part is tasks (see `kernels.jit.tasks`): each
packs some rows of a block, or multiplies a micropanel of a by some of its micropanels. A thread claims tasks of its own part,
then others'.
"""

from __future__ import annotations

from typing import Any

from kernels.jit.caching import inner
from kernels.jit.memory import one, read, size_of, write, zero
from kernels.jit.pointers import call
from kernels.jit.tasks import claim, finish, wait
from kernels.packed.cut import cut_product, locate_block, new_block, new_cut, sums_of
from kernels.packed.matvec.one_row import add_row
from kernels.packed.microkernel import UNROLLED, new_tile
from kernels.packed.packing import pack_rows, transpose
from kernels.packed.plan import ceil_div, counters, microtile, split

K_CHUNK, K_CHUNK_OF_SINGLES = 256, 192
"""So much of the depth is summed in registers before it is added to c: rounding errors grow with the length of a sum. Those of
OpenBLAS and BLIS are as short, and MKL's in float32."""


@inner
def k_chunk(depth: int, size: int) -> int:
    """How much of a depth is summed at once: equal chunks, of whole turns of the microkernel's loop."""
    most = (K_CHUNK_OF_SINGLES if size == 4 else K_CHUNK) + 2 * UNROLLED
    return ceil_div(ceil_div(depth, ceil_div(depth, most)), UNROLLED) * UNROLLED


@inner
def direct(plan: Any, product: Any) -> bool:
    """A product that fits the caches: microtile after microtile, nothing packed, shared or counted.

    Assumes
    -------
    - One thread.
    - Rows of a, b and c are contiguous.
    - The depth is at most kc, and b at most `Plan.direct_bytes`.
    """
    size, tile, (nr, mr) = size_of(product.alpha), new_tile(product.alpha), microtile(plan, product.m, product.p)
    a, b, c, p = product.a.at, product.b.at, product.c.at, product.p
    a_row, c_row, left = product.a.row, product.c.row, product.m
    tile.depth, tile.chunk, tile.ahead = product.n, k_chunk(product.n, size), 0
    tile.a_row, tile.b_row, tile.c_row = a_row, product.b.row, c_row
    tile.alpha, tile.beta = product.alpha, product.beta
    for micropanel in range(ceil_div(left, nr), 0, -1):
        rows = left // micropanel
        tile.rows, tile.a = rows, a
        for j in range(0, p, mr):
            tile.columns, tile.b, tile.c = min(mr, p - j), b + j * size, c + j * size
            call(plan.microkernel, tile)
        a, c, left = a + rows * a_row, c + rows * c_row, left - rows
    return True


def blocked(plan, product, thread):  # type: ignore[no-untyped-def]
    """A thread's part in a product of any shape: its own tasks first, then what others have left of theirs.

    Assumes
    -------
    - Each part's counters are zero before the first thread begins.
    - All threads read the same plan and product, so that they cut it alike.
    - No size is zero, and neither is alpha.
    - c overlaps neither a nor b.
    """
    cut, block, tile = new_cut(product.alpha), new_block(product.alpha), new_tile(product.alpha)
    cut_product(plan, product, cut, thread)
    for panel in range(cut.panels):
        for step in range(cut.blocks):
            for turn in range(cut.parts):
                locate_block(plan, product, cut, block, (thread + turn) % cut.parts, panel, step)
                do_tasks(plan, product, cut, block, tile)
    if cut.depth_parts > 1:
        add_sums(plan, product, cut)


@inner
def do_tasks(plan: Any, product: Any, cut: Any, block: Any, tile: Any) -> None:
    """Claim a block's tasks until none is left: first those that pack it, then those that multiply by it.

    Assumes
    -------
    - A part has memory for one packed block. So packing waits until all tasks of the block before are done.
    """
    task = claim(block.counters, block.end)
    while task >= 0:
        if task < block.ready:
            wait(block.counters, block.first)
            start, end = split(block.depth, task - block.first, cut.packing_tasks)
            pack_rows(product.b, block, cut.mr, start, end)
        else:
            wait(block.counters, block.ready)
            multiply_micropanel(plan, product, cut, block, tile, task - block.ready)
        finish(block.counters)
        task = claim(block.counters, block.end)


@inner
def multiply_micropanel(plan: Any, product: Any, cut: Any, block: Any, tile: Any, task: int) -> None:
    """A task: a micropanel of a by a group of the block's micropanels.

    Assumes
    -------
    - The block is packed, if it is to be.
    """
    a, micropanel = product.a, task // cut.groups
    i, end = split(product.m, micropanel, cut.micropanels)
    tile.alpha, tile.rows, tile.a, tile.a_row = product.alpha, end - i, a.at + i * a.row + block.k * a.column, a.row
    contiguous = a.column == size_of(product.alpha)
    if not contiguous:
        transpose(tile.a, a.column, a.row, cut.packed_a, cut.packed_a_row, block.depth, tile.rows, product.alpha)
        tile.a, tile.a_row = cut.packed_a, cut.packed_a_row
    first, last = split(block.micropanels, task % cut.groups, cut.groups)
    macrokernel(plan, cut, block, tile, i, first, last, contiguous and micropanel + 1 < cut.micropanels)


@inner
def macrokernel(plan: Any, cut: Any, block: Any, tile: Any, i: int, first: int, last: int, prefetching: bool) -> None:
    """Rows of c from `i` on: a micropanel of a by micropanels of the block, a microtile at a time.

    Where b is scattered and not packed, the depth is gone along strip by strip. Where rows of c are not contiguous, a microtile
    is made beside it and then added. When `prefetching`, each of the last microtiles prefetches a row of a's next micropanel.

    Assumes
    -------
    - The tile has rows and alpha, and its a is the micropanel, with contiguous rows.
    - The next micropanel of a, if it is prefetched, follows in memory, by the same row stride.
    """
    size, depth, a, a_row, rows = size_of(tile.alpha), block.depth, tile.a, tile.a_row, tile.rows
    microkernel, mr, micropanel_bytes, c_column = plan.microkernel, cut.mr, block.micropanel_bytes, block.c_column
    strip = min(depth, plan.strip) if cut.scattered and not cut.packs else depth
    contiguous, before_prefetch = c_column == size, max(0, last - first - rows)
    tile.b_row, tile.c_row = block.b_row, block.c_row if contiguous else mr * size
    for k in range(0, depth, strip):
        beta = block.beta if k == 0 else one(tile.alpha)
        tile.depth, tile.a, tile.beta = min(strip, depth - k), a + k * size, beta if contiguous else zero(beta)
        tile.chunk = k_chunk(tile.depth, size)
        b, columns = block.b + first * micropanel_bytes + k * block.b_row, block.columns - first * mr
        c = block.c + i * block.c_row + first * mr * c_column
        for row in range(-before_prefetch, last - first - before_prefetch):
            tile.columns, tile.b = min(mr, columns), b
            tile.ahead = (rows + row) * a_row if prefetching and row >= 0 else 0
            if contiguous:
                tile.c = c
                call(microkernel, tile)
            else:
                tile.c = cut.spare
                call(microkernel, tile)
                add_elements(rows, tile.columns, cut.spare, mr * size, c, block.c_row, c_column, beta)
            b, c, columns = b + micropanel_bytes, c + mr * c_column, columns - mr


@inner
def add_elements(rows: int, columns: int, x: int, x_row: int, c: int, c_row: int, c_column: int, beta: Any) -> None:
    """Make c = x + beta c, an element at a time: rows of x are contiguous, those of c need not be."""
    for i in range(rows):
        for j in range(columns):
            place = c + i * c_row + j * c_column
            value = read(x + i * x_row + j * size_of(beta), beta)
            if beta != 0:
                value += beta * read(place, beta)
            write(place, value)


@inner
def add_sums(plan: Any, product: Any, cut: Any) -> None:
    """Add the sums of the other parts of the depth to c, where the first part's are: a claimed micropanel's rows at a time."""
    m, p, c, done = product.m, product.p, product.c, cut.panels * cut.blocks * cut.tasks
    unit, shared, end = one(product.alpha), counters(plan, 0), done + cut.micropanels
    for part in range(cut.depth_parts):
        wait(counters(plan, part), done)
    task = claim(shared, end)
    while task >= 0:
        first, last = split(m, task - done, cut.micropanels)
        for part in range(1, cut.depth_parts):
            for i in range(first, last):
                sums, c_row = sums_of(plan, part, m, cut.sums_row) + i * cut.sums_row, c.at + i * c.row
                if c.column == size_of(unit):
                    add_row(p, unit, sums, c_row, unit)
                else:
                    add_elements(1, p, sums, cut.sums_row, c_row, c.row, c.column, unit)
        task = claim(shared, end)
