"""Loops that set a GPU's ceilings, in Triton: multiply-adds of registers, products of tensor cores, reads and copies.

Each runs long in one launch, since the levels nearest to the multiprocessors would otherwise be timed by their launches.
"""

from __future__ import annotations

from types import SimpleNamespace

try:
    import triton
    import triton.language as tl
except ImportError:  # asv imports every module, where there is no Triton too; nothing here is launched there
    triton, tl = SimpleNamespace(jit=lambda function: function), SimpleNamespace(constexpr=lambda value: value)

UNROLLED: tl.constexpr = tl.constexpr(16)


@triton.jit
def multiply_adds(out, steps, dtype: tl.constexpr, block: tl.constexpr):
    """X <- x / 2 + 1/2 on `block` elements, `steps` times `UNROLLED`; no two begin alike."""
    places = tl.program_id(0) * block + tl.arange(0, block)
    x = places.to(dtype)
    for _ in range(steps):
        for _ in tl.static_range(UNROLLED):
            x = x * 0.5 + 0.5
    tl.store(out + places, x)


@triton.jit
def products(a, b, out, steps, m: tl.constexpr, n: tl.constexpr, p: tl.constexpr):
    """`steps` products of one tile of a with one of b, added up; TF32 where the operands are float32."""
    i, k, j = tl.arange(0, m), tl.arange(0, n), tl.arange(0, p)
    x = tl.load(a + i[:, None] * n + k[None, :])
    y = tl.load(b + k[:, None] * p + j[None, :])
    total = tl.zeros((m, p), tl.float32)
    for _ in range(steps):
        total = tl.dot(x, y, total, input_precision="tf32")
    tl.store(out + tl.program_id(0) * m * p + i[:, None] * p + j[None, :], total)


@triton.jit
def reads(data, out, size, passes, block: tl.constexpr):
    """Every element of `data` `passes` times, past the first-level cache; the sums. `size` is a multiple of `block`."""
    first, step = tl.program_id(0) * block, tl.num_programs(0) * block
    total = tl.zeros((block,), tl.float32)
    for _ in range(passes):
        for place in range(first, size, step):
            total += tl.load(data + place + tl.arange(0, block), cache_modifier=".cg")
    tl.store(out + first + tl.arange(0, block), total)


@triton.jit
def copies(data, half, passes, block: tl.constexpr):
    """The first `half` of `data` to the second, `passes` times, past the first-level cache."""
    first, step = tl.program_id(0) * block, tl.num_programs(0) * block
    for _ in range(passes):
        for place in range(first, half, step):
            places = place + tl.arange(0, block)
            tl.store(data + half + places, tl.load(data + places, cache_modifier=".cg"), cache_modifier=".cg")
