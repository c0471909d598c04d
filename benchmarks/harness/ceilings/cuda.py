"""What a CUDA device can do at most: multiply-adds, products of its tensor cores, and bytes of the L2 cache and the memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.harness.machines import Bandwidth, Ceilings, Peak

if TYPE_CHECKING:
    from benchmarks.harness.cuda import Cuda

TRIAL_S = 2e-3
TRIALS = 5

BLOCK = 1024
"""Elements of a program of 128 threads: eight independent chains a thread, twice as many as hide the latency of four cycles."""

PROGRAMS = 16
"""Of a multiprocessor, which has room for as many of them."""

TILE = (128, 64, 256)
"""Rows, depth and columns of a product of tensor cores; its sums fill the registers of eight warps."""

TENSOR_CORES = {"float16": "float16", "bfloat16": "bfloat16", "tfloat32": "float32"}
"""What they multiply, and the type of array that it comes in."""

MEMORY_CACHES = 8
"""A working set of this many times the L2 cache comes from memory."""


def measure(device: Cuda, place: str = "cuda") -> Ceilings:
    """One round; `place` is torch's name for the device."""
    peaks = [_fma_peak(device, dtype, place) for dtype in ("float32", "float64")]
    peaks += [_tensor_peak(device, dtype, place) for dtype in TENSOR_CORES]
    sizes = {"L2": device.cache_bytes // 2, "memory": device.cache_bytes * MEMORY_CACHES}
    return Ceilings(peaks=peaks, bandwidths=[_bandwidth(device, level, size, place) for level, size in sizes.items()])


def _fma_peak(device: Cuda, dtype: str, place: str) -> Peak:
    import torch
    import triton.language as tl

    from benchmarks.harness.ceilings import cuda_loops

    programs = device.processors * PROGRAMS
    out = torch.empty(programs * BLOCK, dtype=getattr(torch, dtype), device=place)

    def loop(steps: int) -> None:
        cuda_loops.multiply_adds[(programs,)](out, steps, getattr(tl, dtype), BLOCK, num_warps=4)

    flops = 2 * cuda_loops.UNROLLED.value * out.numel()
    return Peak(dtype=dtype, threads=1, gflops=flops * _rate(device, loop) / 1e9)


def _tensor_peak(device: Cuda, dtype: str, place: str) -> Peak:
    import torch

    from benchmarks.harness.ceilings import cuda_loops

    m, n, p = TILE
    kind = getattr(torch, TENSOR_CORES[dtype])
    # Random, since a product of zeros draws less power, and runs at a higher clock.
    a, b = (torch.randn(shape, device=place).to(kind) for shape in ((m, n), (n, p)))
    out = torch.empty((device.processors, m, p), device=place)

    def loop(steps: int) -> None:
        cuda_loops.products[(device.processors,)](a, b, out, steps, m, n, p, num_warps=8)

    return Peak(dtype=dtype, threads=1, gflops=2 * m * n * p * device.processors * _rate(device, loop) / 1e9)


def _bandwidth(device: Cuda, level: str, size: int, place: str) -> Bandwidth:
    import torch

    from benchmarks.harness.ceilings import cuda_loops

    programs = device.processors * PROGRAMS
    share = 2 * programs * BLOCK
    data = torch.ones(max(1, size // 4 // share) * share, device=place)
    out = torch.empty(programs * BLOCK, device=place)

    def read(passes: int) -> None:
        cuda_loops.reads[(programs,)](data, out, data.numel(), passes, BLOCK, num_warps=4)

    def copy(passes: int) -> None:
        cuda_loops.copies[(programs,)](data, data.numel() // 2, passes, BLOCK, num_warps=4)

    gigabytes = 4 * data.numel() / 1e9
    return Bandwidth(
        level=level, working_set=4 * data.numel(), threads=1,
        read_gbs=gigabytes * _rate(device, read), copy_gbs=gigabytes * _rate(device, copy),
    )  # fmt: skip


def _rate(device: Cuda, loop: Callable[[int], Any]) -> float:
    """Turns a second of ``loop(turns)``, of the best of some trials of `TRIAL_S` each."""

    def trial(turns: int) -> float:
        return device.seconds([partial(loop, turns)])

    trial(1)  # compiles
    turns = 1
    while (took := trial(turns)) < TRIAL_S / 2:
        turns = max(2 * turns, int(turns * TRIAL_S / max(took, device.resolution_s)))
    return turns / min(trial(turns) for _ in range(TRIALS))
