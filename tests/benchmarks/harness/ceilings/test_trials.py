from __future__ import annotations

import numba
import numpy as np
import pytest

from benchmarks.harness.ceilings import latency as chains
from benchmarks.harness.ceilings import throughput as simd
from benchmarks.harness.ceilings.trials import best, measure
from benchmarks.harness.machines import Bandwidth, Ceilings, Latency, Peak
from kernels.cpu.vectors import vectors

WIDTH = min(32, vectors().width)


@numba.njit
def multiply_adds(count, seed):
    return simd.multiply_add(count, seed, WIDTH)


@numba.njit
def read(array, passes):
    return simd.read(array, passes, WIDTH)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_loop_does_every_multiply_add_and_no_more(dtype):
    lanes = WIDTH // np.dtype(dtype).itemsize
    expected = np.arange(simd.CHAINS, dtype=np.float64)
    for _ in range(7):
        expected = expected * 0.5 + 0.5
    assert multiply_adds(7, dtype(0.5)) == pytest.approx(lanes * expected.sum(), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_loop_reads_every_element_in_every_pass(dtype):
    lanes = WIDTH // np.dtype(dtype).itemsize
    array = np.random.default_rng(0).random(simd.CHAINS * lanes * 5).astype(dtype)
    start = lanes * sum(range(simd.CHAINS))
    assert read(array, 3) == pytest.approx(start + 3 * array.sum(dtype=np.float64), rel=1e-5)


def test_accumulators_live_in_registers():
    multiply_adds(1, np.float32(0.5))
    assembly = next(iter(multiply_adds.inspect_asm().values()))
    names = "fmadd", "fmla", "mulps"  # of x86-64, of Arm, and of x86-64 that cannot fuse
    lines = [line for line in assembly.splitlines() if any(name in line for name in names)]
    assert lines
    assert len(lines) % simd.CHAINS == 0
    assert not [line for line in lines if "rsp" in line or "[sp" in line]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_additions_wait_for_one_another(dtype):
    """Sums that are regrouped would round differently."""
    count, seed = 100_000, dtype(0.1)
    assert chains.additions(count, seed) == np.cumsum(np.full(count + 1, seed))[-1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_multiply_add_of_the_chain_is_done(dtype):
    x = seed = 0.9
    for _ in range(7):
        x = x * seed + seed
    assert chains.multiply_adds(7, dtype(seed)) == pytest.approx(x, rel=1e-6)


def test_a_round_measures_every_ceiling():
    found = measure([1])
    assert {(peak.dtype, peak.threads) for peak in found.peaks} == {("float32", 1), ("float64", 1)}
    assert all(peak.gflops > 0.1 for peak in found.peaks)
    assert {latency.dtype for latency in found.latencies} == {"float32", "float64"}
    assert all(min(each.multiply_add_s, each.add_s) > 1e-11 for each in found.latencies)  # a tenth of a cycle at 10 GHz
    assert found.bandwidths[-1].level == "memory"
    assert all(each.read_gbs > 0.1 and each.copy_gbs > 0.1 for each in found.bandwidths)


def test_the_best_of_two_is_taken_figure_by_figure():
    def made(gflops, read, copy, wait):
        level = Bandwidth(level="L1", working_set=1, threads=1, read_gbs=read, copy_gbs=copy)
        latency = Latency(dtype="float32", multiply_add_s=wait, add_s=wait / 2)
        return Ceilings(peaks=[Peak(dtype="float32", threads=1, gflops=gflops)], bandwidths=[level], latencies=[latency])

    assert best(made(2, 1, 5, 2e-9), made(1, 3, 4, 1e-9)) == made(2, 3, 5, 1e-9)
    assert best(None, made(1, 1, 1, 1e-9)) == made(1, 1, 1, 1e-9)
