"""Tasks are claimed once, in order, and waited for, by however many threads there are."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numba import njit

from kernels.jit.tasks import COUNTERS_BYTES, begin, claim, finish, wait


@njit
def begun(counters):
    begin(counters)


@njit(nogil=True)
def fill(counters, phases, tasks, seen):
    """Each task of a phase adds up all of the phase before: right only if every one of those is done."""
    for phase in range(phases):
        first = phase * tasks
        task = claim(counters, first + tasks)
        while task >= 0:
            wait(counters, first)
            seen[phase, task - first] += 1 if phase == 0 else seen[phase - 1].sum()
            finish(counters)
            task = claim(counters, first + tasks)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_each_task_is_done_once_and_after_those_before(threads):
    counters = np.zeros(COUNTERS_BYTES // 8 + 8, np.int64)
    at = (counters.ctypes.data + 63) // 64 * 64
    phases, tasks = 9, 7
    for _ in range(200 if threads > 1 else 1):
        seen = np.zeros((phases, tasks), np.int64)
        begun(at)
        running = [threading.Thread(target=fill, args=(at, phases, tasks, seen)) for _ in range(threads)]
        for each in running:
            each.start()
        for each in running:
            each.join()
        assert (seen == np.array([tasks**phase for phase in range(phases)])[:, None]).all()
