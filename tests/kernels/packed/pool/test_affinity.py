"""A worker is kept off its caller's processor until it is awake, and never let where it may not run."""

from __future__ import annotations

import os
import sys
import threading

import numba
import numpy as np
import pytest

from kernels.packed.pool.affinity import MASKS_BYTES, keep_off, let_back

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors"
)


@numba.njit
def kept_off(worker, masks):
    keep_off(worker, masks)


@numba.njit
def back(masks):
    let_back(masks)


class Worker:
    """A thread that sleeps until it is asked to go back to where it might run."""

    def __init__(self):
        self._masks, self._woken = np.zeros(MASKS_BYTES // 8, np.int64), threading.Event()
        self._thread = threading.Thread(target=self._sleep)
        self._thread.start()

    @property
    def processors(self):
        return os.sched_getaffinity(self._thread.native_id)

    @processors.setter
    def processors(self, allowed):
        os.sched_setaffinity(self._thread.native_id, allowed)

    def keep_off(self):
        kept_off(self._thread.native_id, self._masks.ctypes.data)

    def wake(self):
        self._woken.set()
        self._thread.join()
        return self._then

    def _sleep(self):
        self._woken.wait()
        back(self._masks.ctypes.data)
        self._then = os.sched_getaffinity(0)


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.wake()


@pytest.fixture
def here():
    """The processor that this thread is kept on."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield min(allowed)
    os.sched_setaffinity(0, allowed)


def test_a_worker_is_kept_off_the_callers_processor_until_it_is_awake(worker, here):
    before = worker.processors
    worker.keep_off()
    assert worker.processors == before - {here}
    assert worker.wake() == before


def test_a_worker_that_was_restricted_before_it_is_woken_stays_restricted(worker, here):
    for allowed in ({here}, worker.processors - {here}):
        worker.processors = allowed
        worker.keep_off()
        assert worker.processors == allowed
    assert worker.wake() == allowed


def test_a_worker_that_is_restricted_while_it_wakes_stays_restricted(worker, here):
    worker.keep_off()
    worker.processors = {here}
    assert worker.wake() == {here}
