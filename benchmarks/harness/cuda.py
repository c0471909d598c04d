"""A CUDA device through torch: its allocator, its events, and the stream that torch and Numba both launch on by default."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.host import gpu
from minisgd.common.cli import UsageError

if TYPE_CHECKING:
    from benchmarks.harness.machines import Ceilings

LEAST = (8, 0)
"""Compute capability from which on the kernels' instructions exist: asynchronous copies, and bfloat16 and TF32 tensor cores."""

QUEUED = 500
"""Calls between two events. The driver's queue holds some 1,024 launches; one more waits for the device."""

DELAY_S = 10e-3
"""Of a delay at most: enough to fill the queue, at 10 us a launch."""

MARGIN = 1.5
CYCLES_A_SECOND = 2e9
"""A delay is in cycles of a clock that is not known; on a faster one `MARGIN` makes up for it."""


class Cuda:
    """The current CUDA device.

    A launch costs the host some microseconds, more than a small kernel lasts. So that the kernel is what is timed, the device is
    held up first, until the host has queued the calls behind (as NVBench does). A call of more launches than the queue holds is
    timed as it is: the textbook's rungs in torch wait for the host, which is what they show.

    Raises
    ------
    UsageError
        If torch sees none, or the one it sees is older than `LEAST`.
    """

    resolution_s = 0.5e-6  # cudaEventElapsedTime, CUDA runtime API, "Event Management"

    def __init__(self, placement: int | None = None) -> None:
        require()
        import torch

        self._torch: Any = torch
        properties: Any = torch.cuda.get_device_properties(0)
        if (found := (properties.major, properties.minor)) < LEAST:
            raise UsageError(
                f"--device cuda: {properties.name} has compute capability {found[0]}.{found[1]}; expected {LEAST[0]}.{LEAST[1]}"
            )
        self.cache_bytes = int(properties.L2_cache_size)
        self.processors = int(properties.multi_processor_count)
        self._uuid = str(properties.uuid)
        self._launch_s = 0.0

    def place(self, host: NDArray[Any], library: str, dtype: str | None = None) -> Any:
        """Copy to the device; every CUDA kernel takes tensors."""
        tensor = self._torch.from_numpy(host).to("cuda")
        return tensor.to(self._torch.bfloat16) if dtype == "bfloat16" else tensor

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """Copy to the device."""
        return array.copy_(self._torch.from_numpy(host))

    def fetch(self, array: Any) -> NDArray[Any]:
        """Copy to the host, on the stream that the calls were queued on."""
        host = array.to("cpu")
        return np.array(host.float() if host.dtype == self._torch.bfloat16 else host)

    def seconds(self, calls: Iterable[Callable[[], None]]) -> float:
        """By events on the stream, `QUEUED` calls at a time."""
        left, total = iter(calls), 0.0
        while some := list(islice(left, QUEUED)):
            total += self._timed(some)
        return total

    def _timed(self, calls: list[Callable[[], None]]) -> float:
        cuda = self._torch.cuda
        start, end = (cuda.Event(enable_timing=True) for _ in range(2))
        cuda.synchronize()
        cuda._sleep(int(CYCLES_A_SECOND * min(DELAY_S, MARGIN * self._launch_s * len(calls))))
        start.record()
        began = time.perf_counter()
        for call in calls:
            call()
        self._launch_s = (time.perf_counter() - began) / len(calls)
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) * 1e-3

    def wait(self) -> None:
        """Return when the device has done what was queued."""
        self._torch.cuda.synchronize()

    def state(self) -> gpu.State | None:
        """Clock, power, and what slows it; see `benchmarks.harness.host.gpu`."""
        return gpu.state(self._uuid)

    def sound(self) -> bool:
        """Whether it still answers: after an illegal address no call of this process will."""
        with suppress(Exception):  # torch and Numba have errors of their own
            self.wait()
            self._torch.cuda.empty_cache()  # what a call that ran out of memory had taken until then
            return True
        return False

    def workspace(self, call: Callable[[], None]) -> float:
        """Bytes that a call takes at its peak: from torch's allocator, and from the driver beside it."""
        cuda = self._torch.cuda
        self.wait()
        cuda.reset_peak_memory_stats()
        allocated, reserved, free = cuda.memory_allocated(), cuda.memory_reserved(), cuda.mem_get_info()[0]
        call()
        self.wait()
        beside = free - cuda.mem_get_info()[0] - (cuda.memory_reserved() - reserved)
        return float(max(0, cuda.max_memory_allocated() - allocated) + max(0, beside))

    def ceilings(self, threads: list[int]) -> Ceilings:
        """See `benchmarks.harness.ceilings.cuda`."""
        from benchmarks.harness.ceilings import cuda as ceilings

        return ceilings.measure(self)


def require() -> None:
    """Refuse a machine where torch sees no GPU, without taking one: a context of ours would be in the workers' way.

    Raises
    ------
    UsageError
    """
    try:
        import torch
    except ImportError:
        raise UsageError("--device cuda: torch is not installed; pip install 'minisgd[cuda]'") from None
    if not torch.cuda.is_available():
        raise UsageError("--device cuda: torch sees no CUDA GPU; use --device cpu, or a CUDA build of torch")
