"""The memory that a product takes beside its operands, on the device that it runs on."""

from __future__ import annotations

from benchmarks.harness import timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Case

SMALL = 16


def workspace(case: Case) -> float:
    """Bytes by which a call of a matrix product raises the use of its device's memory at its peak; NaN where that is not told.

    A small product goes before, so that code, threads and constant buffers are in place. Libraries that keep freed memory for
    the next call show it at the first: this is that one.
    """
    small = case.model_copy(update={"shape": dict.fromkeys(case.shape, SMALL)})
    here = device(case.device)
    with timing.prepared(small, here) as work:
        here.seconds(work.calls(1))
    with timing.prepared(case, here) as work:
        (call,) = work.calls(1)
        return here.workspace(call)
