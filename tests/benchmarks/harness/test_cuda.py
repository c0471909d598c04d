"""The device cuda on a fake of torch.cuda and of NVML: what it asks of them, and what it makes of their faults."""

from __future__ import annotations

import sys

import gpus
import numpy as np
import pytest

from benchmarks.harness import cuda, timing
from benchmarks.harness.cuda import Cuda
from benchmarks.harness.host import gpu
from benchmarks.harness.workers import Unusable
from kernels.dtypes import rounded
from minisgd.common.cli import UsageError


@pytest.fixture
def torch(monkeypatch):
    made, _ = gpus.install(monkeypatch)
    yield made
    gpu._library.cache_clear()


@pytest.fixture
def nvml(torch):
    return gpu._library()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "tfloat32", "float32", "float64"])
def test_arrays_go_and_come_back_as_they_were(torch, dtype):
    device = Cuda()
    host = rounded(np.random.default_rng(0).standard_normal((3, 5)), dtype)
    placed = device.place(host, "torch", dtype)
    assert placed.device.type == "cuda"
    assert str(placed.dtype) == f"torch.{'float32' if dtype == 'tfloat32' else dtype}"
    np.testing.assert_array_equal(device.fetch(placed), host)
    device.write(placed, -host)
    np.testing.assert_array_equal(device.fetch(placed), -host)
    with pytest.raises(TypeError, match="can't convert"):
        np.asarray(placed)  # what the harness would do if it looked into device memory


def test_the_device_is_held_up_as_long_as_the_host_queues_calls(torch, monkeypatch):
    device, clock = Cuda(), [0.0]
    monkeypatch.setattr(cuda.time, "perf_counter", lambda: clock[0])

    def launch():
        clock[0] += 5e-6

    device.seconds([launch] * 10)
    device.seconds([launch] * 100)
    device.seconds([launch] * 2 * cuda.QUEUED)
    first, second, *rest = [cycles / cuda.CYCLES_A_SECOND for cycles in torch.cuda.cycles]
    assert first == 0  # nothing is known of the calls
    assert second == pytest.approx(100 * 5e-6 * cuda.MARGIN)
    assert rest == pytest.approx([cuda.QUEUED * 5e-6 * cuda.MARGIN] * 2)  # no more at once than the queue holds


def test_a_call_that_compiles_holds_nothing_up_for_long(torch, monkeypatch):
    device, clock = Cuda(), [0.0]
    monkeypatch.setattr(cuda.time, "perf_counter", lambda: clock[0])
    device.seconds([lambda: clock.__setitem__(0, clock[0] + 30)])
    device.seconds([lambda: None])
    assert torch.cuda.cycles[-1] == cuda.CYCLES_A_SECOND * cuda.DELAY_S


def test_a_lost_context_is_told_from_memory_that_ran_out(torch):
    device = Cuda()
    with pytest.raises(torch.OutOfMemoryError), timing.usable(device):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 TiB")
    with pytest.raises(Unusable) as caught, timing.usable(device):
        device.seconds([torch.cuda.illegal_address])
    assert str(caught.value) == "RuntimeError: CUDA error: an illegal memory access was encountered"


def test_what_a_call_takes_on_the_device_is_its_peak(torch):
    assert Cuda().workspace(lambda: torch.cuda.take(1 << 20)) == 1 << 20
    assert Cuda().workspace(lambda: None) == 0


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("none", "--device cuda: torch sees no CUDA GPU; use --device cpu, or a CUDA build of torch"),
        ("old", "--device cuda: a GPU has compute capability 6.0; expected 8.0"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_one_line(torch, monkeypatch, fault, said):
    monkeypatch.setenv("FAKE_GPU", fault)
    with pytest.raises(UsageError) as caught:
        Cuda()
    assert str(caught.value) == said


class Busy:
    """Work of ten milliseconds a call on a device with a clock of its own."""

    resolution_s = 1e-6

    def __init__(self, device):
        self.state, self.sampled = device.state, []

    def calls(self, count):
        return [None] * count

    def seconds(self, calls):
        self.sampled.append(len(calls))
        return 0.01 * len(calls)


def test_nothing_is_sampled_before_the_clock_has_stopped_rising(nvml):
    nvml.clocks[:] = [345, 600, 900, 1400, 1980]
    work = Busy(Cuda())
    found = timing.sample(work, work, budget_s=0.05)
    assert nvml.clocks == [1980]
    assert len(work.sampled) - len(found.seconds) >= 5 * timing.WARM_S / 0.01
    assert (found.clock_mhz, found.power_w, found.slowed) == (1980, 312.5, 0)  # at its power limit, and not slowed


def test_samples_are_dropped_and_counted_while_heat_holds_the_clock_down(nvml):
    nvml.clocks[:] = [1980]
    nvml.reasons[:] = [0, 0, 0, 0x20 | 0x4, 0x40, 0x80, 0x4]  # the first two while it warms up
    work = Busy(Cuda())
    found = timing.sample(work, work, budget_s=0.05)
    assert (len(found.seconds), found.slowed) == (5, 3)


def test_a_device_that_is_slowed_down_throughout_has_no_samples(nvml):
    nvml.clocks[:], nvml.reasons[:] = [700], [0x8]
    work = Busy(Cuda())
    with pytest.raises(timing.Slowed, match="slowed down at all of 6 samples: HwSlowdown"):
        timing.sample(work, work, budget_s=0.05)


def test_without_nvml_nothing_is_told(torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    gpu._library.cache_clear()
    assert gpu.name() is gpu.state("0-1") is None


def test_the_gpu_is_named_with_its_driver(nvml):
    assert gpu.name() == "a GPU, driver 580.0"
