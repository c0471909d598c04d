"""Threads held to a processor, and let go again."""

from __future__ import annotations

import os
import threading

import pytest

from benchmarks.harness.host import threads

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not say where threads run")


def test_a_thread_started_while_pinned_is_let_go_with_the_others():
    leave, before = threading.Event(), os.sched_getaffinity(0)
    with threads.pinned(threads.cpus()[0]):
        assert threads.cpus() == threads.cpus()[:1]
        started = threading.Thread(target=leave.wait)
        started.start()
        assert os.sched_getaffinity(started.native_id) == set(threads.cpus())
    assert os.sched_getaffinity(started.native_id) == os.sched_getaffinity(0) == before
    leave.set()
    started.join()


def test_pinned_to_nothing_runs_anywhere():
    before = threads.cpus()
    with threads.pinned(None):
        assert threads.cpus() == before
