"""A device brings its own memory, timer and ceilings; the harness asks for nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kernels import arrays
from kernels.arrays import LIBRARIES, aligned_zeros
from kernels.cpu.caches import caches
from minisgd.common.cli import UsageError

if TYPE_CHECKING:
    from benchmarks.harness.records import Ceilings


class Device(Protocol):
    """Where arrays live and kernels run."""

    resolution_s: float
    """The shortest time that its timer tells apart, in seconds."""
    cache_bytes: int
    """Size of its outermost cache."""

    def place(self, host: NDArray[Any], library: str) -> Any:
        """Copy a numpy array into an array of `library` in this device's memory."""

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """Overwrite a placed array, and return it; a new one in its place, where a library's arrays cannot be written."""

    def fetch(self, array: Any) -> NDArray[Any]:
        """Copy a placed array back, as it is when all calls so far have returned."""

    def seconds(self, calls: Iterable[Callable[[], None]]) -> float:
        """Run the calls one after another; the time from the start of the first to the end of the last."""

    def ceilings(self, threads: list[int]) -> Ceilings:
        """One round of trials of the most that it can do."""


PAGE, ALIGNED = 4096, 16
"""Bytes; every allocator aligns to the smaller."""


class Cpu:
    """Host memory and the host's clock.

    Parameters
    ----------
    placement : int, optional
        Seed of where in a page arrays start, by whole multiples of what an allocator aligns to; drawn if left out. Two processes
        with the same seed do not differ by where their arrays happen to lie.
    """

    resolution_s = max(time.get_clock_info("perf_counter").resolution, 50e-9)  # reading it takes some 50 ns

    def __init__(self, placement: int | None = None) -> None:
        self.cache_bytes = caches()[-1].size
        self._offsets = random.Random(placement)

    def place(self, host: NDArray[Any], library: str) -> Any:
        """A copy, whose memory a library that can shares."""
        return LIBRARIES[library].place(_behind_a_page(host, self._offsets.randrange(0, PAGE, ALIGNED)))

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """In the library's own way."""
        return arrays.of(array).write(array, host)

    def fetch(self, array: Any) -> NDArray[Any]:
        """A copy, taken at once: a kernel that goes on working after it has returned is caught."""
        return arrays.of(array).fetch(array).copy()

    def seconds(self, calls: Iterable[Callable[[], None]]) -> float:
        """By ``time.perf_counter``."""
        start = time.perf_counter()
        for call in calls:
            call()
        return time.perf_counter() - start

    def ceilings(self, threads: list[int]) -> Ceilings:
        """See `benchmarks.harness.ceilings.trials`."""
        from benchmarks.harness.ceilings import trials as ceilings

        return ceilings.measure(threads)


class Cuda:
    """The current CUDA device, through torch: its allocator, its events and its stream."""

    resolution_s = 0.5e-6  # cudaEventElapsedTime, CUDA runtime API, "Event Management"

    def __init__(self, placement: int | None = None) -> None:
        import torch

        if not torch.cuda.is_available():
            raise UsageError("--device cuda: torch sees no CUDA GPU; use --device cpu, or a CUDA build of torch")
        self._torch: Any = torch
        self.cache_bytes = int(torch.cuda.get_device_properties(0).L2_cache_size)

    def place(self, host: NDArray[Any], library: str) -> Any:
        """Copy to the device; every CUDA kernel takes tensors."""
        return self._torch.from_numpy(host).cuda()

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """Copy to the device."""
        return array.copy_(self._torch.from_numpy(host))

    def fetch(self, array: Any) -> NDArray[Any]:
        """Copy to the host, on the stream that the calls were queued on."""
        return np.array(array.cpu())

    def seconds(self, calls: Iterable[Callable[[], None]]) -> float:
        """By events on the stream, so that what is timed is the device's work and any wait for the host to queue it."""
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._torch.cuda.synchronize()
        start.record()
        for call in calls:
            call()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) * 1e-3

    def ceilings(self, threads: list[int]) -> Ceilings:
        """See `benchmarks.harness.ceilings.cuda`."""
        from benchmarks.harness.ceilings import cuda as cuda_ceilings

        return cuda_ceilings.measure(self)


def _behind_a_page(host: NDArray[Any], offset: int) -> NDArray[Any]:
    room = aligned_zeros((offset + host.nbytes,), np.uint8, PAGE)
    copy: NDArray[Any] = room[offset:].view(host.dtype).reshape(host.shape)
    copy[...] = host
    return copy


DEVICES: dict[str, Callable[[int | None], Device]] = {"cpu": Cpu, "cuda": Cuda}


def device(name: str, placement: int | None = None) -> Device:
    """The device of that name; for the `placement` see `Cpu`, only the host's memory has it.

    Raises
    ------
    UsageError
        If there is none on this machine.
    """
    if name not in DEVICES:
        raise UsageError(f"--device {name}: expected {' or '.join(DEVICES)}")
    return DEVICES[name](placement)
