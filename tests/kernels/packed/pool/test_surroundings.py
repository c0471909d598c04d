"""Workers in a process that is restricted, short of threads, made a daemon or forked: products are right, and nothing leaks.

Each in a process of its own, through the public call alone.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")

PRODUCTS = """
import os, sys, threading, time
import numba, numpy as np
import kernels

numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
a, b = (np.random.default_rng(0).standard_normal((300, 300)) for _ in range(2))

def product():
    np.testing.assert_allclose(kernels.matmul(a, b), sum(np.outer(a[:, k], b[k]) for k in range(300)), atol=1e-11)

def others_rest():  # numpy's threads do not spin after an outer product
    until = time.monotonic() + 60
    while time.monotonic() < until:
        before = time.process_time()
        time.sleep(0.3)
        if time.process_time() - before < 0.01:
            return True
    return False

def products():  # so far apart that a worker sleeps in between, and is woken
    for _ in range(3):
        assert others_rest(), "a worker spins"
        product()
    assert others_rest(), "a worker spins"
"""

RESTRICTED = """
product()
one = min(os.sched_getaffinity(0))
for thread in os.listdir("/proc/self/task"):
    os.sched_setaffinity(int(thread), {one})
products()
print(all(os.sched_getaffinity(int(thread)) == {one} for thread in os.listdir("/proc/self/task")))
"""

CLOSED = """
product()
assert others_rest()
os.closerange(3, 256)
files = [open(os.path.join(sys.argv[1], str(number)), "w+b", buffering=0) for number in range(60)]
products()
print(all(file.read() == b"" for file in files))
"""

FORKED = """
def descriptors():
    return len(os.listdir("/dev/fd"))

def generations(count):
    opened = descriptors()
    product()
    if count == 0 or descriptors() > opened:
        return descriptors() - opened
    child = os.fork()
    if not child:
        os._exit(generations(count - 1))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print(generations(3) == 0)
"""

NO_THREADS = """
threading.stack_size(1 << 50)  # more than there are addresses
for _ in range(3):
    product()
print(threading.active_count() == 1)
"""


def printed(script, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", PRODUCTS + script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_workers_keep_to_a_restriction_that_came_after_them():
    assert printed(RESTRICTED) == "True"


def test_closing_all_descriptors_neither_wakes_a_worker_nor_has_it_write_to_files(tmp_path):
    assert printed(CLOSED, tmp_path) == "True"


def test_forks_leave_no_descriptors():
    assert printed(FORKED) == "True"


def test_a_product_is_right_where_no_thread_can_be_started():
    assert printed(NO_THREADS) == "True"
