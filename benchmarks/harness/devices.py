"""A device brings its own memory, timer and ceilings; the harness asks for nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.cuda import Cuda, require
from benchmarks.harness.host import pages
from kernels import arrays
from kernels.arrays import LIBRARIES, aligned_zeros
from kernels.cpu.caches import caches
from minisgd.common.cli import UsageError

if TYPE_CHECKING:
    from benchmarks.harness.host.gpu import State
    from benchmarks.harness.machines import Ceilings


class Device(Protocol):
    """Where arrays live and kernels run."""

    resolution_s: float
    """The shortest time that its timer tells apart, in seconds."""
    cache_bytes: int
    """Size of its outermost cache."""

    def place(self, host: NDArray[Any], library: str, dtype: str | None = None) -> Any:
        """Copy a numpy array into an array of `library` in this device's memory; `dtype` if numpy lacks its element type."""

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """Overwrite a placed array, and return it; a new one in its place, where a library's arrays cannot be written."""

    def fetch(self, array: Any) -> NDArray[Any]:
        """Copy a placed array back, as it is when all calls so far have returned."""

    def seconds(self, calls: Iterable[Callable[[], None]]) -> float:
        """Run the calls one after another; the time from the start of the first to the end of the last."""

    def wait(self) -> None:
        """Return when all calls so far are done."""

    def state(self) -> State | None:
        """Its clock and power at this moment; None if it does not tell."""

    def sound(self) -> bool:
        """Whether it can be used further, after a call has raised."""

    def workspace(self, call: Callable[[], None]) -> float:
        """Bytes of its memory that a call takes at its peak; NaN if that cannot be seen."""

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

    def place(self, host: NDArray[Any], library: str, dtype: str | None = None) -> Any:
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

    def wait(self) -> None:
        """A call that has returned is done."""

    def state(self) -> None:
        """A processor's clock is left to the machine's own figures."""

    def sound(self) -> bool:
        """What a raised exception leaves behind, the next call may use."""
        return True

    def workspace(self, call: Callable[[], None]) -> float:
        """See `benchmarks.harness.host.pages`."""
        return pages.raised_by(call)

    def ceilings(self, threads: list[int]) -> Ceilings:
        """See `benchmarks.harness.ceilings.trials`."""
        from benchmarks.harness.ceilings import trials as ceilings

        return ceilings.measure(threads)


def _behind_a_page(host: NDArray[Any], offset: int) -> NDArray[Any]:
    room = aligned_zeros((offset + host.nbytes,), np.uint8, PAGE)
    copy: NDArray[Any] = room[offset:].view(host.dtype).reshape(host.shape)
    copy[...] = host
    return copy


DEVICES: dict[str, Callable[[int | None], Device]] = {"cpu": Cpu, "cuda": Cuda}


def check(names: Iterable[str]) -> None:
    """Refuse a device that this machine lacks, before a worker is started for it.

    Raises
    ------
    UsageError
    """
    for name in names:
        if name not in DEVICES:
            raise UsageError(f"--device {name}: expected {' or '.join(DEVICES)}")
        if name == "cuda":
            require()


def here() -> list[str]:
    """The devices of this machine."""
    with suppress(UsageError):
        require()
        return list(DEVICES)
    return ["cpu"]


def device(name: str, placement: int | None = None) -> Device:
    """The device of that name; for the `placement` see `Cpu`, only the host's memory has it.

    Raises
    ------
    UsageError
        If there is none on this machine.
    """
    check([name])
    return DEVICES[name](placement)
