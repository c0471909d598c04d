"""What follows from the seconds that a case took: rates, the distance from the ceilings, and whether the figure is noisy.

Whoever measured the seconds, our own rounds, asv or pytest-benchmark, turns them into a record's fields here.
"""

from __future__ import annotations

from math import inf
from typing import Any

from benchmarks.harness import statistics
from benchmarks.harness.machines import BEYOND, Ceilings
from benchmarks.harness.records import Case
from benchmarks.harness.timing import WORKLOADS
from kernels.dtypes import stored
from minisgd.common.intervals import Interval


def costs(case: Case) -> dict[str, int]:
    """Flops of a case, and its compulsory bytes: each operand counted once."""
    found = WORKLOADS[case.workload].costs(case)
    return {"flops": found["flops"], "bytes": found["bytes"]}


def gflops(case: Case, seconds: float) -> float:
    """The rate of one call, in GFLOPS.

    Examples
    --------
    >>> shape = dict.fromkeys("mnp", 100)
    >>> gflops(Case(kernel="numpy/full", rung="full", backend="numpy", dtype="float32", shape=shape, threads=1), 1e-3)
    2.0
    """
    return float(costs(case)["flops"] / seconds / 1e9)


def percent_of_peak(rate: float, peak: float | None) -> float | None:
    """A rate in percent of the measured peak; None if the peak was not measured, or not reached.

    Examples
    --------
    >>> percent_of_peak(50.0, 200.0), percent_of_peak(250.0, 200.0)
    (25.0, None)
    """
    return None if peak is None or beyond(rate, peak) else 100 * rate / peak


def beyond(rate: float, peak: float | None) -> bool:
    """Whether a rate exceeds the measured peak by more than noise: the machine was then busy while the peak was measured."""
    return peak is not None and rate > BEYOND * peak


def most(limits: Ceilings, dtype: str, threads: int) -> float:
    """GFLOPS that no rate passes: what the best trial of any dtype and thread count makes of this one.

    On a busy machine a trial on all threads, or a single one, may do a tenth of what the others show to be possible.
    """
    itemsize = stored(dtype).itemsize
    rates = (each.gflops * threads / each.threads * stored(each.dtype).itemsize / itemsize for each in limits.peaks)
    return max(rates, default=inf)


def speed(case: Case, seconds: Interval, limits: Ceilings | None = None) -> dict[str, Any]:
    """The fields of a record that follow from its time.

    Parameters
    ----------
    case : Case
    seconds : (float, float, float)
        Median of a call, and its interval. A low end of 0, which tools that round can store, is replaced by the median.
    limits : Ceilings, optional
        Those of the same run.
    """
    middle, low, high = seconds
    low = low if low > 0 else middle
    peak = limits.peak(case.dtype, case.threads) if limits else None
    workload, rate = WORKLOADS[case.workload], gflops(case, middle)
    timed = {"median_s": middle, "low_s": low, "high_s": high, "noisy": statistics.is_noisy(middle, low, high)}
    if not rate:  # what computes nothing, a transfer say, is held against no peak
        return timed
    examples = workload.costs(case).get("examples")
    return timed | {
        "gflops": rate, "gflops_low": gflops(case, high), "gflops_high": gflops(case, low),
        "examples_s": examples / middle if examples else None,
        "limit_s": workload.limit_s(case, limits) if limits else None,
        "peak_gflops": peak, "percent_of_peak": percent_of_peak(rate, peak), "beyond_peak": beyond(rate, peak),
    }  # fmt: skip
