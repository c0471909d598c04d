"""Helpers take part if they come in time, and nothing waits for one that does not."""

from __future__ import annotations

import os
import sys
import threading
import time

import numba
import numpy as np
import pytest
from numba import types

from kernels.jit.pointers import address
from kernels.packed import gemm
from kernels.packed.gemm import helpers
from kernels.packed.pool.bell import ASLEEP, BELL_BYTES, THREAD, keep_off
from kernels.packed.pool.team import BELLS, LAST, TAKEN, WAKE, Team, add, linger, pay, share


@numba.njit(types.void(types.int64, types.int64))
def count(room, thread):
    """A visit, in the place of this thread."""
    add(room + 8 * thread, 1)


@numba.njit(types.void(types.int64, types.int64), nogil=True)
def lingering(gate, thread):
    linger(gate, thread)


@numba.njit
def keep_off_from(bell):
    keep_off(bell)


@numba.njit(nogil=True)
def share_often(gate, serve, room, threads, times):
    for _ in range(times):
        share(gate, serve, room, threads)


def test_helpers_come_in_and_each_product_is_served_once_by_each():
    team, visits = Team(2), np.zeros(3, np.int64)
    helpers = [threading.Thread(target=lingering, args=(team.gate, thread)) for thread in (1, 2)]
    for helper in helpers:
        helper.start()
    until, products = time.monotonic() + 60, 0
    while not all(visits) and time.monotonic() < until:
        if not any(helper.is_alive() for helper in helpers):  # they have gone to sleep before the other came
            helpers = [threading.Thread(target=lingering, args=(team.gate, thread)) for thread in (1, 2)]
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
    team, visits = Team(2), np.zeros(3, np.int64)
    helper = threading.Thread(target=lingering, args=(team.gate, 2))
    helper.start()
    share_often(team.gate, address(count), visits.ctypes.data, 2, 10_000)
    helper.join()
    assert visits.tolist() == [10_000, 0, 0]


def test_a_product_is_whole_without_any_helper(monkeypatch):
    monkeypatch.setattr(Team, "recruit", lambda team, threads: None)
    before = numba.get_num_threads()
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    try:
        a, b = (np.random.default_rng(0).standard_normal((300, 300)) for _ in range(2))
        out = np.empty((300, 300))
        gemm(a, b, out)
        np.testing.assert_allclose(out, a @ b, atol=1e-11)
    finally:
        numba.set_num_threads(before)


@numba.njit
def pays(gate, work):
    return pay(gate, work)


@pytest.mark.skipif(os.name != "posix", reason="needs a clock")
def test_a_helper_is_woken_for_much_work_or_for_several_products_soon_one_after_the_other():
    team = Team(1)
    bell, words = team._memory[BELLS : BELLS + BELL_BYTES].view(np.int64), team._memory[:BELLS].view(np.int64)
    bell[ASLEEP // 8] = 1
    assert pays(team.gate, WAKE)
    words[LAST // 8] = 0  # long ago
    assert [pays(team.gate, WAKE // 4 + 1) for _ in range(4)] == [False, False, False, True]
    words[LAST // 8] = 0
    assert not pays(team.gate, WAKE - 1)
    bell[ASLEEP // 8] = 0
    assert pays(team.gate, 1)


def test_helpers_serve_one_product_at_a_time():
    a, b = (np.random.default_rng(0).standard_normal((200, 200)) for _ in range(2))
    out, before = np.empty((200, 200)), numba.get_num_threads()
    taken = helpers._memory[:BELLS].view(np.int64)[TAKEN // 8 : TAKEN // 8 + 1]
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    try:
        gemm(a, b, out)
        assert taken[0] == 0
        taken[0] = 1
        gemm(a, b, out)
        assert taken[0] == 1
        np.testing.assert_allclose(out, a @ b, atol=1e-11)
    finally:
        taken[0] = 0
        numba.set_num_threads(before)


def test_a_helper_that_sleeps_is_woken():
    team, visits = Team(1), np.zeros(2, np.int64)
    bell = team._memory[BELLS : BELLS + BELL_BYTES]
    team.recruit(2)
    for _ in range(3):
        until = time.monotonic() + 60
        while not bell[ASLEEP] and time.monotonic() < until:
            time.sleep(0.01)
        assert bell[ASLEEP]
        visits[:] = 0
        while not visits[1] and time.monotonic() < until:
            share_often(team.gate, address(count), visits.ctypes.data, 2, 100)
        assert visits[1]


@pytest.mark.skipif(sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors")
def test_a_helper_wakes_on_another_processor_and_may_then_run_on_all():
    team, visits = Team(1), np.zeros(2, np.int64)
    team.recruit(2)
    bell = team._memory[BELLS : BELLS + BELL_BYTES]
    while not bell[ASLEEP]:
        time.sleep(0.01)
    helper, allowed = int(bell[THREAD : THREAD + 8].view(np.int64)[0]), os.sched_getaffinity(0)
    keep_off_from(team.gate + BELLS)
    assert len(os.sched_getaffinity(helper)) == len(allowed) - 1
    until = time.monotonic() + 60
    while (os.sched_getaffinity(helper) != allowed or not visits[1]) and time.monotonic() < until:
        share_often(team.gate, address(count), visits.ctypes.data, 2, 100)
    assert visits[1]
    assert os.sched_getaffinity(helper) == allowed
