"""What a warp's accesses to memory cost, by addresses recorded in the simulator.

Global memory: the 32-byte sectors that a request touches; what is needed is as many as hold its distinct bytes.
Shared memory: wavefronts a request. Its 32 banks are 4 bytes wide. At 16 bytes a thread a quarter of a warp is served at a time,
at 8 bytes half of one; two words of one bank in the same part are a conflict (CUDA C++ Programming Guide, "Shared Memory").
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest

from kernels.cuda import launch, simulated

WARP, SECTOR, BANKS, WORD = 32, 32, 32, 4
PART_BYTES = BANKS * WORD
"""Of a request that are served at a time."""


class Access(NamedTuple):
    """One thread's: what is asked for, its address, its bytes."""

    what: str
    address: int
    size: int


class Seen(np.ndarray):
    """Memory of which every access by a kernel's thread is recorded."""

    recorder: Recorder
    what: str

    def __getitem__(self, index):
        self._record(index)
        return self.view(np.ndarray)[index]

    def __setitem__(self, index, value):
        self._record(index)
        self.view(np.ndarray)[index] = value

    def _record(self, index):
        at = self.ctypes.data + sum(int(i) * step for i, step in zip(np.atleast_1d(index), self.strides, strict=True))
        self.recorder.note(self.what, at, self.itemsize)


class Recorder:
    """Accesses by warp and lane, in order."""

    def __init__(self) -> None:
        self._warps: dict[tuple[int, ...], dict[int, list[Access]]] = defaultdict(lambda: defaultdict(list))

    def note(self, what: str, address: int, size: int) -> None:
        thread = threading.current_thread()
        block, warp = thread.blockIdx, thread.thread_id // WARP
        self._warps[block.x, block.y, warp][thread.thread_id % WARP].append(Access(what, address, size))

    def requests(self) -> Iterator[tuple[Access, ...]]:
        """The accesses that all the threads of a warp make at once; of kernels whose threads stay together."""
        for lanes in self._warps.values():
            for request in zip(*(lanes[lane] for lane in sorted(lanes)), strict=True):
                assert len({(access.what, access.size) for access in request}) == 1, request
                yield request


@contextmanager
def recorded(**operands) -> Iterator[Recorder]:
    """Kernels that are simulated meanwhile have their accesses recorded: to these operands by name, and to "shared"."""
    recorder, names = Recorder(), {array.ctypes.data: name for name, array in operands.items()}

    def seen(array, what):
        view = array.view(Seen)
        view.recorder, view.what = recorder, what
        return view

    def flat(array, start, count):
        found = plain_flat(array, start, count)
        recorder.note(array.what, found.ctypes.data, found.nbytes)
        return found

    plain_matrix, plain_flat, plain_shared = simulated.matrix, simulated.flat, simulated.poisoned
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "matrix", lambda operand, dtype: seen(plain_matrix(operand, dtype), names[operand[0]]))
        patch.setattr(simulated, "flat", flat)
        patch.setattr(simulated, "poisoned", lambda shape, dtype: seen(plain_shared(shape, dtype), "shared"))
        yield recorder


def sectors(request: tuple[Access, ...]) -> int:
    """That a request to global memory touches."""
    return len({at // SECTOR for access in request for at in range(access.address, access.address + access.size, WORD)})


def sectors_needed(request: tuple[Access, ...]) -> int:
    """For as many distinct bytes."""
    words = {at for access in request for at in range(access.address, access.address + access.size, WORD)}
    return -(-len(words) * WORD // SECTOR)


def conflicts(request: tuple[Access, ...]) -> int:
    """Wavefronts of a request to shared memory beyond those that its bytes need."""
    lanes = PART_BYTES // max(WORD, request[0].size)
    return sum(_wavefronts(request[first : first + lanes]) - 1 for first in range(0, len(request), lanes))


def _wavefronts(part: tuple[Access, ...]) -> int:
    banks = defaultdict(set)
    for access in part:
        for word in range(access.address // WORD, (access.address + access.size) // WORD):
            banks[word % BANKS].add(word)
    return max(len(words) for words in banks.values())
