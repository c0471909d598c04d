"""Two products in Triton: a tile of `out` for each program, from anywhere; and persistent programs that the TMA feeds.

Triton lays out registers and shared memory, pipelines the loads and picks the instructions: wgmma for a Hopper's tensor cores.
What is left to say is which tile is whose, and in which order. Both sum in float32.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def place(tile, m, p, bm: tl.constexpr, bp: tl.constexpr, group: tl.constexpr):
    """Row and column of a tile, `group` rows of tiles at a time.

    Tiles that are computed at once then lie in a square, so that they share what is in the L2 cache.
    """
    down, across = tl.cdiv(m, bm), tl.cdiv(p, bp)
    first = tile // (group * across) * group
    rows = min(down - first, group)
    within = tile % (group * across)
    return first + within % rows, within // rows


@triton.jit
def product(
    a, b, out, m, n, p, a_down, a_along, b_down, b_along, out_down, out_along,
    bm: tl.constexpr, bn: tl.constexpr, bp: tl.constexpr, group: tl.constexpr, whole: tl.constexpr, precision: tl.constexpr,
):  # fmt: skip
    """A tile of bm x bp, bn of n at a time, from addresses; `whole` if tiles of these sizes divide all three sides."""
    row, column = place(tl.program_id(0), m, p, bm, bp, group)
    rows = (row * bm + tl.arange(0, bm)).to(tl.int64)[:, None]  # 2^31 elements are a few GB
    columns = (column * bp + tl.arange(0, bp)).to(tl.int64)[None, :]
    k = tl.arange(0, bn).to(tl.int64)
    a += rows * a_down + k[None, :] * a_along
    b += k[:, None] * b_down + columns * b_along
    a_step, b_step = bn * tl.cast(a_along, tl.int64), bn * tl.cast(b_down, tl.int64)
    total = tl.zeros((bm, bp), tl.float32)
    for start in range(0, n, bn):
        if whole:
            x, y = tl.load(a), tl.load(b)
        else:
            left = n - start
            x = tl.load(a, mask=(rows < m) & (k[None, :] < left), other=0)
            y = tl.load(b, mask=(k[:, None] < left) & (columns < p), other=0)
        total = tl.dot(x, y, total, input_precision=precision)
        a += a_step
        b += b_step
    out += rows * out_down + columns * out_along
    if whole:
        tl.store(out, total.to(out.dtype.element_ty))
    else:
        tl.store(out, total.to(out.dtype.element_ty), mask=(rows < m) & (columns < p))


@triton.jit
def persistent(
    a, b, out, m, n, p, programs,
    bm: tl.constexpr, bn: tl.constexpr, bp: tl.constexpr, group: tl.constexpr, precision: tl.constexpr,
    a_across: tl.constexpr, b_across: tl.constexpr,
):  # fmt: skip
    """One program on each multiprocessor, which takes every `programs`-th tile, through descriptors.

    The TMA copies whole boxes, with zeros beyond the edge; the loads of a tile begin while the last one is stored. `out` is
    stored in two halves, which leaves room for one more stage of loads. With `a_across` a's descriptor is of its transpose.
    """
    tiles, deep = tl.cdiv(m, bm) * tl.cdiv(p, bp), tl.cdiv(n, bn)
    for tile in tl.range(tl.program_id(0), tiles, programs, flatten=True):
        row, column = place(tile, m, p, bm, bp, group)
        total = tl.zeros((bm, bp), tl.float32)
        for step in range(deep):
            x = a.load([step * bn, row * bm]).T if a_across else a.load([row * bm, step * bn])
            y = b.load([column * bp, step * bn]).T if b_across else b.load([step * bn, column * bp])
            total = tl.dot(x, y, total, input_precision=precision)
        left, right = tl.split(tl.permute(tl.reshape(total, (bm, 2, bp // 2)), (0, 2, 1)))
        out.store([row * bm, column * bp], left.to(out.dtype))
        out.store([row * bm, column * bp + bp // 2], right.to(out.dtype))
