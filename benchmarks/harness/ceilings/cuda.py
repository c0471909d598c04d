"""What a CUDA device can do at most, through torch alone: torch.compile fuses a chain of multiply-adds into one kernel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from benchmarks.harness.records import Bandwidth, Ceilings, Peak
from kernels.cpu.tiles import ITEMSIZE

if TYPE_CHECKING:
    from benchmarks.harness.devices import Device

STEPS = 256
"""Multiply-adds on each element between its load and its store: 64 flops a byte, beyond any card's balance."""

ELEMENTS = 1 << 24
TRIALS = 5


def fma_chain(x: Any) -> Any:
    """X <- x / 2 + 1/2, `STEPS` times; fused, it reads and writes each element once."""
    for _ in range(STEPS):
        x = x * 0.5 + 0.5
    return x


def measure(device: Device, place: str = "cuda", elements: int = ELEMENTS) -> Ceilings:
    """FMA peak of each dtype, and bandwidth of the L2 cache and of the memory; `place` is torch's name for the device."""
    import torch

    chain = torch.compile(fma_chain)
    peaks = []
    for dtype in ITEMSIZE:
        x = torch.ones(elements, dtype=getattr(torch, dtype), device=place)
        seconds = _best(device, partial(chain, x))
        peaks.append(Peak(dtype=dtype, threads=1, gflops=2 * STEPS * elements / seconds / 1e9))
    bandwidths = []
    for level, size in {"L2": device.cache_bytes // 2, "memory": device.cache_bytes * 8}.items():
        x = torch.ones(size // 4, device=place)
        half = len(x) // 2
        read = _best(device, x.sum)
        copy = _best(device, partial(x[:half].copy_, x[half : 2 * half]))
        bandwidths.append(
            Bandwidth(level=level, working_set=size, threads=1, read_gbs=size / read / 1e9, copy_gbs=size / copy / 1e9)
        )
    return Ceilings(peaks=peaks, bandwidths=bandwidths)


def _best(device: Device, call: Callable[[], Any], calls: int = 20) -> float:
    """Seconds a call in the fastest of some trials, after one that compiles and warms up."""
    return min(device.seconds(repeat(call, calls)) / calls for _ in range(1 + TRIALS))
