"""Helpers take part if they come in time, and nothing waits for one that does not."""

from __future__ import annotations

import threading
import time

import numba
import numpy as np
from numba import types

from kernels.numba_packed import gemm
from kernels.numba_packed.pointers import address
from kernels.numba_packed.team import Team, add, lingering, share


@numba.njit(types.void(types.int64, types.int64))
def count(room, thread):
    """A visit, in the place of this thread."""
    add(room + 8 * thread, 1)


@numba.njit(nogil=True)
def share_often(gate, serve, room, threads, times):
    for _ in range(times):
        share(gate, serve, room, threads)


def test_helpers_come_in_and_each_product_is_served_once_by_each():
    team, visits = Team(), np.zeros(3, np.int64)
    helpers = [threading.Thread(target=lingering(), args=(team.gate, thread)) for thread in (1, 2)]
    for helper in helpers:
        helper.start()
    until, products = time.monotonic() + 60, 0
    while not all(visits) and time.monotonic() < until:
        if not any(helper.is_alive() for helper in helpers):  # they have gone to sleep before the other came
            helpers = [threading.Thread(target=lingering(), args=(team.gate, thread)) for thread in (1, 2)]
            for helper in helpers:
                helper.start()
        share_often(team.gate, address(count), visits.ctypes.data, 3, 1000)
        products += 1000
    for helper in helpers:
        helper.join()
    assert visits[0] == products
    assert 0 < visits[1] <= products
    assert 0 < visits[2] <= products


def test_a_helper_beyond_the_threads_that_were_asked_for_stays_out():
    team, visits = Team(), np.zeros(3, np.int64)
    helper = threading.Thread(target=lingering(), args=(team.gate, 2))
    helper.start()
    share_often(team.gate, address(count), visits.ctypes.data, 2, 10_000)
    helper.join()
    assert visits.tolist() == [10_000, 0, 0]


def test_a_product_is_whole_without_any_helper(monkeypatch):
    monkeypatch.setattr(Team, "rouse", lambda team, threads: None)
    before = numba.get_num_threads()
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    try:
        a, b = (np.random.default_rng(0).standard_normal((300, 300)) for _ in range(2))
        out = np.empty((300, 300))
        gemm(a, b, out)
        np.testing.assert_allclose(out, a @ b, atol=1e-11)
    finally:
        numba.set_num_threads(before)
