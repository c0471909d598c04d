"""The host memory that a call takes, by the system's own count of the process's pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc_pid_clear_refs(5)


def raised_by(call: Callable[[], None]) -> float:
    """Bytes by which a call raises this process's memory at its peak; NaN where Linux does not tell."""
    if not CLEAR_REFS.exists():
        return float("nan")
    CLEAR_REFS.write_text(RESET_PEAK, encoding="utf-8")
    before = _kib("VmRSS")
    call()
    return max(0, _kib("VmHWM") - before) * 1024


def _kib(name: str) -> int:
    return next(int(line.split()[1]) for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(name + ":"))
