"""The memory that a call takes beside its operands, as the kernel's own count of the process's pages has it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Case

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc_pid_clear_refs(5)
SMALL = 16


def workspace(case: Case) -> float:
    """Bytes by which a call of a matrix product raises this process's memory at its peak; NaN where Linux does not tell.

    A small product goes before, so that code, threads and constant buffers are in place. Libraries that keep freed memory for
    the next call show it at the first: this is that one.
    """
    if not CLEAR_REFS.exists():
        return float("nan")
    small = case.model_copy(update={"shape": dict.fromkeys(case.shape, SMALL)})
    here = device(case.device)
    with timing.prepared(small, here) as work:
        here.seconds(work.calls(1))
    with timing.prepared(case, here) as work:
        (call,) = work.calls(1)
        CLEAR_REFS.write_text(RESET_PEAK, encoding="utf-8")
        before = _kib("VmRSS")
        call()
        return max(0, _kib("VmHWM") - before) * 1024


def _kib(name: str) -> int:
    return next(int(line.split()[1]) for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(name + ":"))
