from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.harness.workers import Unusable, Worker, WorkerFailure


@pytest.fixture
def worker():
    made = Worker()
    yield made
    made.close()


def test_calls_share_a_process_that_is_not_ours(worker):
    first = worker.call(os.getpid, 60)
    assert first == worker.call(os.getpid, 60) != os.getpid()


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        (int, ("many",), "ValueError: invalid literal for int"),
        (os._exit, (7,), "the process exited with status 7"),
        (ctypes.string_at, (0,), "the process died of SIGSEGV"),
        (os.kill, (0, signal.SIGKILL), "no answer|SIGKILL"),
        (time.sleep, (60,), "no answer within 3 s"),
    ],
    ids=["raises", "exits", "crashes", "is killed", "hangs"],
)
def test_a_failure_is_one_line_and_the_next_call_is_answered(worker, function, arguments, reason):
    if function is os.kill:
        arguments = (worker.call(os.getpid, 60), signal.SIGKILL)
    with pytest.raises(WorkerFailure, match=reason) as caught:
        worker.call(function, 3, *arguments)
    assert "\n" not in str(caught.value)
    assert worker.call(abs, 60, -1) == 1


def lose_the_device():
    raise Unusable("CUDA error: an illegal memory access was encountered")


def test_a_process_that_is_of_no_further_use_is_replaced(worker):
    first = worker.call(os.getpid, 60)
    with pytest.raises(WorkerFailure, match=r"^CUDA error: an illegal memory access was encountered$"):
        worker.call(lose_the_device, 60)
    assert not worker.running
    assert worker.call(os.getpid, 60) != first


def test_last_words_are_kept(worker):
    with pytest.raises(WorkerFailure, match="the process exited with status 3: out of registers"):
        worker.call(exec, 60, "import os, sys; print('out of registers', file=sys.stderr); os._exit(3)")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_an_orphan_ends_itself_even_in_a_call_that_holds_the_interpreter(tmp_path):
    parent = """
import ctypes, os, sys
from benchmarks.harness import workers
workers.ORPHAN_S = 0.5
if __name__ == "__main__":
    worker = workers.Worker()
    print(worker.call(os.getpid, 60), flush=True)
    worker.call(ctypes.PyDLL(None).sleep, 1, 60)
"""
    script = tmp_path / "parent.py"
    script.write_text(parent, encoding="utf-8")
    root = os.getcwd()
    started = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": root})
    child = int(started.stdout.readline())
    started.kill()
    started.wait()
    started.stdout.close()
    until = time.monotonic() + 30
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _alive(child)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended, though nobody has asked after it: the container's first process may never do so.
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not os.path.isdir("/proc/self")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("busy", [False, True])
def test_an_orphan_leaves_nothing_behind(tmp_path, busy):
    script = """
import os, signal, sys, threading, time
from benchmarks.harness.workers import Worker
worker = Worker()
worker.call(os.getpid, 60)
if sys.argv[1] == "True":
    threading.Thread(target=worker.call, args=(time.sleep, 60, 1)).start()
    time.sleep(0.3)
print(len(os.listdir(os.environ["TMPDIR"])), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(busy)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert done.stdout == "1\n"
    deadline = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(tmp_path.iterdir())
