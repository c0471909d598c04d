"""Records and runs to test views and files with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from benchmarks.harness.machines import Bandwidth, Ceilings, Machine, Peak
from benchmarks.harness.records import Record, Run
from kernels.cpu.caches import Cache

CEILINGS = Ceilings(
    peaks=[Peak(dtype=dtype, threads=threads, gflops=100.0 * threads) for dtype in ("float32",) for threads in (1, 2)],
    bandwidths=[Bandwidth(level="memory", working_set=1 << 27, threads=1, read_gbs=10.0, copy_gbs=9.0)],
)
MACHINE = Machine(
    cpu="a CPU", cores=2, vectors="AVX2", memory_bytes=1 << 34, os="an OS", python="3.11.7", libraries={"numpy": "2.4.6"},
    caches=[Cache(level=1, size=1 << 15, ways=8, line=64, shared_by=1, source="sysfs")], blas=[], gpu=None,
    ceilings={"cpu": CEILINGS},
)  # fmt: skip


def make_record(**changes: Any) -> Record:
    """A record that passed, at 50 GFLOPS of 100, changed as asked; backend and rung follow from the kernel."""
    kernel = changes.get("kernel", "numpy/full")
    backend, _, rung = kernel.partition("/")
    fields: dict[str, Any] = {
        "kernel": kernel, "backend": backend, "rung": rung, "dtype": "float32", "shape": {"m": 256, "n": 256, "p": 256},
        "threads": 1, "samples_s": [6.7e-4], "calls_per_sample": 6, "samples_per_round": [1], "median_s": 6.7e-4,
        "thread_settings": {"openblas": 1}, "flops": 2 * 256**3, "bytes": 786432, "gflops": 50.0, "gflops_low": 49.0,
        "gflops_high": 51.0, "noisy": False, "percent_of_peak": 50.0, "error": 1e-7, "error_bound": 1.5e-5, "passed": True,
    }  # fmt: skip
    return Record.model_validate(fields | changes)


def make_run(*records: Record) -> Run:
    """A run of these records."""
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Run(created=created, commit="c" * 40, machine=MACHINE, records=list(records))
