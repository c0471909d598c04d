"""Deliberately wrong kernels, one of each kind: each is reported with its reason, and the right ones are measured."""

from __future__ import annotations

import json
import os
import sys

import gpus
import pytest
from commands_for_tests import measure
from plugin import install

SOURCE = """
import ctypes, os, threading, time
import numpy as np
from kernels import kernel

def wrong(rung):
    return kernel("wrong", rung)

@wrong("right")
def right(a, b, out):
    np.matmul(a, b, out=out)

@wrong("crashes")
def crashes(a, b, out):
    ctypes.string_at(0)

@wrong("hangs")
def hangs(a, b, out):
    time.sleep(1000)

@wrong("hangs-with-the-interpreter")
def hangs_with_the_interpreter(a, b, out):
    ctypes.PyDLL(None).sleep(1000)

@wrong("raises")
def raises(a, b, out):
    raise ZeroDivisionError("one line\\nand another")

@wrong("exits")
def exits(a, b, out):
    os._exit(0)

@wrong("numbers")
def numbers(a, b, out):
    np.matmul(a.astype(np.float16), b.astype(np.float16), out=out, dtype=out.dtype)
    out += 0.01

@wrong("unwritten")
def unwritten(a, b, out):
    np.matmul(a[:-1], b, out=out[:-1])

@wrong("inputs")
def inputs(a, b, out):
    np.matmul(a, b, out=out)
    b[0, 0] += 1

KEPT = {}

@wrong("keeps")
def keeps(a, b, out):
    if a.ctypes.data not in KEPT:
        KEPT[a.ctypes.data] = a @ b
    out[...] = KEPT[a.ctypes.data]

@wrong("late")
def late(a, b, out):
    def work():
        time.sleep(0.05)
        np.matmul(a, b, out=out)
    threading.Thread(target=work).start()
"""

REASONS = {
    "crashes": "the process died of SIGSEGV",
    "hangs": "no answer within 6 s",
    "hangs-with-the-interpreter": "no answer within 6 s",
    "raises": "ZeroDivisionError: one line",
    "exits": "the process exited with status 0",
    "numbers": "wrong result: error",
    "unwritten": "left 33 of 1089 elements of out unwritten, the first at (32, 0)",
    "inputs": "changed its input b",
    "keeps": "returned the product of earlier inputs: it keeps its result between calls",
    "late": "left 1089 of 1089 elements of out unwritten, the first at (0, 0)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and a C library to call")
def test_each_is_caught_and_the_others_are_measured(tmp_path):
    path = os.pathsep.join([install(tmp_path, "wrong", SOURCE)["PYTHONPATH"], str(gpus.FOLDER)])
    environment = os.environ | {"PYTHONPATH": path, "FAKE_GPU": "none"}  # torch takes seconds to import
    done = measure(
        "run", "--kernel", "wrong/*", "--kernel", "numpy/full", "--size", 33, "--threads", 1, "--timeout", 6,
        "--runs", tmp_path / "runs", "--json", "-", environment=environment,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    records = {record["rung"]: record for record in json.loads(done.stdout)["records"]}
    for rung, reason in REASONS.items():
        assert reason in records[rung]["failure"], rung
        assert "\n" not in records[rung]["failure"]
        assert records[rung]["gflops"] is records[rung]["samples_s"] is None
        assert not records[rung]["passed"]
        assert f"wrong/{rung}" in done.stderr
    for rung in ("right", "full"):
        assert records[rung]["passed"]
        assert 0 < records[rung]["gflops_low"] <= records[rung]["gflops"] <= records[rung]["gflops_high"]
        assert 0 < records[rung]["percent_of_peak"] < 103
        assert records[rung]["thread_settings"]
    assert set(records) == {*REASONS, "right", "full"}
