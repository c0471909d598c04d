"""Workers take part if they come in time, and nothing waits for one that does not."""

from __future__ import annotations

import os
import threading
import time

import numba
import numpy as np
import pytest
from numba import types

from kernels.jit.atomics import add
from kernels.jit.pointers import address
from kernels.packed import gemm
from kernels.packed.gemm import pool as shared_pool
from kernels.packed.pool.workers import WAKE, Pool, join_products, run, threads_available, worth_waking


@numba.njit(types.void(types.int64, types.int64))
def count(visits, thread):
    """A visit, in the place of this thread."""
    add(visits + 8 * thread, 1)


@numba.njit(types.void(types.int64, types.int64), nogil=True)
def joining(pool, thread):
    join_products(pool, thread)


@numba.njit(nogil=True)
def run_often(pool, serve, visits, threads, times):
    for _ in range(times):
        run(pool, serve, visits, threads)


def start_joining(pool, *threads):
    started = [threading.Thread(target=joining, args=(pool.address, thread)) for thread in threads]
    for thread in started:
        thread.start()
    return started


def wait_until(true, seconds=60):
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    assert true()


@pytest.fixture
def two_threads():
    before = numba.get_num_threads()
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield
    numba.set_num_threads(before)


def test_workers_join_and_each_product_is_served_once_by_each():
    pool, visits = Pool(3), np.zeros(3, np.int64)
    workers = start_joining(pool, 1, 2)
    until, products = time.monotonic() + 60, 0
    while not all(visits) and time.monotonic() < until:
        if not any(worker.is_alive() for worker in workers):  # they have gone to sleep before the other came
            workers = start_joining(pool, 1, 2)
        run_often(pool.address, address(count), visits.ctypes.data, 3, 1000)
        products += 1000
    for worker in workers:
        worker.join()
    assert visits[0] == products
    assert 0 < visits[1] <= products
    assert 0 < visits[2] <= products


def test_a_worker_beyond_the_threads_that_were_asked_for_stays_out():
    pool, visits = Pool(3), np.zeros(3, np.int64)
    (worker,) = start_joining(pool, 2)
    run_often(pool.address, address(count), visits.ctypes.data, 2, 10_000)
    worker.join()
    assert visits.tolist() == [10_000, 0, 0]


@pytest.mark.usefixtures("two_threads")
def test_a_product_is_whole_though_no_worker_comes(monkeypatch):
    monkeypatch.setattr(Pool, "grow", lambda pool, threads: threads)
    a, b = (np.random.default_rng(0).standard_normal((300, 300)) for _ in range(2))
    out = np.empty((300, 300))
    gemm(a, b, out)
    np.testing.assert_allclose(out, a @ b, atol=1e-11)


@numba.njit
def available(pool):
    return threads_available(pool)


@numba.njit
def pays(pool, work):
    return worth_waking(pool, work)


@pytest.mark.skipif(os.name != "posix", reason="needs a clock")
def test_a_worker_is_woken_for_much_work_or_for_several_products_soon_one_after_the_other():
    pool = Pool(2)
    pool._sleepers[0]["asleep"] = 1
    assert pays(pool.address, WAKE)
    pool._state["last"] = 0  # long ago
    assert [pays(pool.address, WAKE // 4 + 1) for _ in range(4)] == [False, False, False, True]
    pool._state["last"] = 0
    assert not pays(pool.address, WAKE - 1)
    pool._sleepers[0]["asleep"] = 0
    assert pays(pool.address, 1)


@pytest.mark.usefixtures("two_threads")
def test_workers_serve_one_product_at_a_time():
    a, b = (np.random.default_rng(0).standard_normal((200, 200)) for _ in range(2))
    out, state = np.empty((200, 200)), shared_pool._state
    gemm(a, b, out)
    assert state["taken"] == 0
    state["taken"] = 1
    try:
        gemm(a, b, out)
        assert state["taken"] == 1
        np.testing.assert_allclose(out, a @ b, atol=1e-11)
    finally:
        state["taken"] = 0


def test_a_worker_that_sleeps_is_woken():
    pool, visits = Pool(2), np.zeros(2, np.int64)
    assert pool.grow(2) == 2
    for _ in range(3):
        wait_until(lambda: pool._sleepers[0]["asleep"])
        visits[:] = 0
        until = time.monotonic() + 60
        while not visits[1] and time.monotonic() < until:
            run_often(pool.address, address(count), visits.ctypes.data, 2, 100)
        assert visits[1]


def test_a_pool_counts_only_the_workers_that_could_be_started(monkeypatch):
    pool, tried = Pool(4), []

    def start(thread):
        tried.append(thread)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert pool.grow(3) == 1
    assert len(tried) == 1
    assert available(pool.address) == min(numba.get_num_threads(), 1)
    monkeypatch.undo()
    assert pool.grow(2) == 2
    assert available(pool.address) == min(numba.get_num_threads(), 2)
