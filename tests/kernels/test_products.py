"""Every kernel of the CPU passes the checks that others have from `kernels.testing`, and each kind of wrong kernel fails one."""

from __future__ import annotations

import math
import re

from plugin import checked

import kernels
from kernels.testing import check

NAMES = [kernel.name for kernel in kernels.available() if "cpu" in kernel.devices]
LEAVE_OUT_ZEROS = "aocl/full"
"""Like the reference BLAS, it may skip what is multiplied by a zero, be that an infinity."""

TestKernels = check(*(name for name in NAMES if name != LEAVE_OUT_ZEROS))
if LEAVE_OUT_ZEROS in NAMES:
    TestThoseThatLeaveOutZeros = check(LEAVE_OUT_ZEROS, special=(math.inf, -math.inf, math.nan))

WRONG = """
import ctypes, time
import numpy as np
from kernels import kernel

def wrong(rung, **declared):
    return kernel("wrong", rung, dtypes=("float32",), **declared)

def address(x):
    return x.__array_interface__["data"][0]

@wrong("right", threads=True, tile={"edge": 8})
def right(a, b, out, edge):
    np.matmul(a, b, out=out)

@wrong("rough", bound=lambda n, dtype: 1e-2)
def rough(a, b, out):
    out[...] = np.nan_to_num(a.astype(np.float16)) @ np.nan_to_num(b.astype(np.float16))

@wrong("numbers", tile={"edge": 8})
def numbers(a, b, out, edge):
    np.matmul(a.astype(np.float16), b.astype(np.float16), out=out, dtype=out.dtype)

@wrong("keeps-zeros")
def keeps_zeros(a, b, out):
    np.matmul(np.where(np.isfinite(a), a, 0), b, out=out)

@wrong("reads-on")
def reads_on(a, b, out):
    np.matmul(a, b, out=out)
    if a.flags.c_contiguous:
        ctypes.string_at(address(a) + a.nbytes, 1)

@wrong("reads-before")
def reads_before(a, b, out):
    np.matmul(a, b, out=out)
    if b.flags.c_contiguous:
        ctypes.string_at(address(b) - 1, 1)

@wrong("restores")
def restores(a, b, out):
    kept = b[:1].copy()
    b[:1] = 0
    b[:1] = kept
    np.matmul(a, b, out=out)

ROOM = np.empty((100, 100), np.float32)

@wrong("shares")
def shares(a, b, out):
    room = ROOM[:a.shape[0], :b.shape[1]] if a.size == 67 * 61 else np.empty(out.shape, out.dtype)
    room[...] = 0
    for k in range(a.shape[1]):
        room += np.multiply.outer(a[:, k], b[k])
    if room.base is ROOM:
        time.sleep(0.005)  # the others write meanwhile
    out[...] = room
"""
FAILURES = {
    "within_its_bound": {"numbers"},
    "special_values": {"rough", "keeps-zeros"},
    "any_tile": {"numbers"},
}


def test_each_kind_of_wrong_kernel_fails_the_check_that_is_for_it(tmp_path):
    said = checked(tmp_path, WRONG, "kernels", "kernels", "/")
    for test, expected in FAILURES.items():
        failed = re.findall(rf"^FAILED .*{test}\w*\[.*wrong/([\w-]+)-float32", said, re.MULTILINE)
        assert set(failed) == expected, said
    died = set(re.findall(r"wrong/([\w-]+) float32, beside guarded memory: the process died of SIG", said))
    assert died == {"reads-on", "reads-before", "restores"}
    assert re.search(r"wrong/shares float32, from several threads at once: error", said)
