"""The time below which no epoch goes that takes its steps one after another, from what this machine did in the same run.

Three bounds. None adds to another, since a core loads, multiplies and waits at the same time: the limit is the longest.

- **chain**: a step's residuals are of the weights that the step before has left. However early a logit is begun, each of the
  b residuals of the step before moves it, z' = c - rate/b (g_1 r_1 + ... + g_b r_b) with g_j = x'.x_j + 1: one multiplication of
  each, and sums. An instruction adds two values, so that T of them in a row bring b + 1 together only if 2^T > b. That makes one
  multiply-add and floor(log2 b) additions that wait for one another, for each full batch. The c and the g are taken to be free.
- **arithmetic**: residuals and gradient are ndk multiply-adds each, at the measured peak. The update is not counted: a gradient
  may be added to the weights as it arises.
- **reading**: examples, targets and the visiting order once, as fast as the fastest level of memory is read; and what all caches
  together cannot hold, as fast as memory.

Three ways round are left out, which nothing here takes. Products of examples made before the epoch: with X^T X a full batch needs
no examples. Steps put together before they are taken: each maps the weights affinely, and such maps may first be multiplied with
one another, by halves, which costs some d^2 multiply-adds an example and makes the chain logarithmic (Blelloch, "Prefix Sums and
Their Applications", 1990). And, where there are many outputs, products of matrices by fewer multiplications (Strassen).
"""

from __future__ import annotations

from benchmarks.harness.ceilings import MEMORY_CACHES
from benchmarks.harness.machines import Ceilings
from benchmarks.harness.records import Case
from kernels.cpu.tiles import ITEMSIZE


def bounds(case: Case, ceilings: Ceilings) -> dict[str, float] | None:
    """Seconds an epoch by each bound; None if a ceiling that they take was not measured.

    What fewer threads did, more can do; on a busy machine they hold each other up, and may show less.
    """
    latency, memory = ceilings.latency(case.dtype), ceilings.bandwidth("memory", case.threads)
    if latency is None or memory is None or ceilings.peak(case.dtype, case.threads) is None:
        return None
    n, d, k, batch = (case.shape[name] for name in ("n", "d", "k", "batch"))
    peak = max(each.gflops for each in ceilings.peaks if each.dtype == case.dtype and each.threads <= case.threads)
    reads = [(each.level, each.read_gbs) for each in ceilings.bandwidths if each.threads <= case.threads]
    passed = bytes_passed(case)
    beyond = passed - 2 * memory.working_set / MEMORY_CACHES  # the inner caches hold no more than the outermost
    return {
        "chain": n // batch * (latency.multiply_add_s + (batch.bit_length() - 1) * latency.add_s),
        "arithmetic": 4 * n * d * k / (peak * 1e9),
        "reading": max(
            passed / (max(gbs for _, gbs in reads) * 1e9),
            beyond / (max(gbs for level, gbs in reads if level == "memory") * 1e9),
        ),
    }


def bytes_passed(case: Case) -> int:
    """Bytes of examples, targets and visiting order."""
    n, d, k = (case.shape[name] for name in "ndk")
    return n * (d + k) * ITEMSIZE[case.dtype] + 8 * n
