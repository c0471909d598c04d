"""What the CUDA ceilings make of the time of their loops, on loops of a known speed; and the loops, where Triton is to be had."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import cuda_python
import pytest

from benchmarks.harness import ceilings
from benchmarks.harness.ceilings import cuda as cuda_ceilings

RATES = {"multiply_adds": 4e13, "products": 8e14, "reads": 3e12, "copies": 2e12}
"""Flops, or bytes, a second of each loop."""


class Loops:
    """A GPU whose loops do nothing at a known speed; a launch takes 5 us beside."""

    resolution_s, cache_bytes, processors = 1e-6, 1 << 22, 132
    UNROLLED = SimpleNamespace(value=16)

    def __init__(self):
        self.now = 0.0
        self.multiply_adds = self.timed("multiply_adds", lambda grid, out, steps, *_: 2 * 16 * steps * out.numel())
        self.products = self.timed("products", lambda grid, a, b, out, steps, m, n, p: 2 * m * n * p * grid[0] * steps)
        self.reads = self.timed("reads", lambda grid, data, out, size, passes, *_: 4 * size * passes)
        self.copies = self.timed("copies", lambda grid, data, half, passes, *_: 8 * half * passes)

    def timed(self, name, work):
        def launch(grid, *arguments):
            self.now += 5e-6 + work(grid, *arguments) / RATES[name]

        return {grid: lambda *arguments, grid=grid, **options: launch(grid, *arguments) for grid in ((132,), (132 * 16,))}

    def seconds(self, calls):
        start = self.now
        for call in calls:
            call()
        return self.now - start


def test_each_ceiling_is_what_its_loop_does_a_second(monkeypatch):
    gpu = Loops()
    monkeypatch.setattr(ceilings, "cuda_loops", gpu, raising=False)
    monkeypatch.setitem(sys.modules, "benchmarks.harness.ceilings.cuda_loops", gpu)
    language = SimpleNamespace(float32=None, float64=None)
    monkeypatch.setitem(sys.modules, "triton", SimpleNamespace(language=language))
    monkeypatch.setitem(sys.modules, "triton.language", language)
    found = cuda_ceilings.measure(gpu, place="cpu")
    peaks = {peak.dtype: peak.gflops for peak in found.peaks}
    assert peaks.keys() == {"float32", "float64", "float16", "bfloat16", "tfloat32"}
    for dtype, gflops in peaks.items():
        rate = RATES["multiply_adds" if dtype in ("float32", "float64") else "products"]
        assert gflops == pytest.approx(rate / 1e9, rel=0.01)
    assert [level.level for level in found.bandwidths] == ["L2", "memory"]
    for level in found.bandwidths:
        assert level.read_gbs == pytest.approx(RATES["reads"] / 1e9, rel=0.01)  # an L2's worth takes 2 us: it is no launch's time
        assert level.copy_gbs == pytest.approx(RATES["copies"] / 1e9, rel=0.01)


INTERPRETED = """
import torch
import triton.language as tl
from benchmarks.harness.ceilings import cuda_loops as loops

x, out = torch.arange(64.0), torch.zeros(64)
for _ in range(2 * loops.UNROLLED.value):
    x = x * 0.5 + 0.5
loops.multiply_adds[(2,)](out, 2, tl.float32, 32)
torch.testing.assert_close(out, x)

a, b, out = torch.randn(16, 32), torch.randn(32, 16), torch.zeros(2, 16, 16)
loops.products[(2,)](a, b, out, 3, 16, 32, 16)
torch.testing.assert_close(out, (3 * (a @ b)).expand(2, 16, 16), rtol=1e-4, atol=1e-4)

data, out = torch.randn(256), torch.zeros(64)
loops.reads[(2,)](data, out, 256, 3, 32)
torch.testing.assert_close(out.sum(), 3 * data.sum())

data = torch.randn(256)
first = data[:128].clone()
loops.copies[(2,)](data, 128, 2, 32)
torch.testing.assert_close(data, torch.cat([first, first]))
"""


def test_the_loops_do_what_they_say():
    cuda_python.run("-c", INTERPRETED, TRITON_INTERPRET="1")
