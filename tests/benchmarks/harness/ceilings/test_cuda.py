"""The CUDA ceilings' code, run by torch on the CPU: all but the device itself."""

from __future__ import annotations

import pytest
import torch

from benchmarks.harness.ceilings import cuda as cuda_ceilings
from benchmarks.harness.devices import Cpu


def test_the_chain_does_its_steps():
    x = torch.full((3,), 2.0, dtype=torch.float64)
    assert cuda_ceilings.fma_chain(x).tolist() == pytest.approx([1.0] * 3)
    assert cuda_ceilings.STEPS * 2 / 8 >= 64  # flops a byte: beyond any card's balance


def test_every_ceiling_is_measured(monkeypatch):
    monkeypatch.setattr(cuda_ceilings, "STEPS", 8)
    device = Cpu()
    device.cache_bytes = 1 << 16
    found = cuda_ceilings.measure(device, place="cpu", elements=1 << 12)
    assert [peak.dtype for peak in found.peaks] == ["float32", "float64"]
    assert [level.level for level in found.bandwidths] == ["L2", "memory"]
    assert all(peak.gflops > 0 for peak in found.peaks)
    assert all(level.read_gbs > 0 and level.copy_gbs > 0 for level in found.bandwidths)
