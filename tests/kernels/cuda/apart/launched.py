"""From the public call to a launch, with tensors that only say that they are on a GPU; run by test_cuda.py in the simulator."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import simulator_threads  # noqa: F401

import kernels
from kernels.accuracy import bound, error
from kernels.cuda import launch
from kernels.cuda.full.blocking import BLOCKINGS
from kernels.cuda.full.stages import STAGES
from kernels.cuda.primitives import cuda


class Tensor:
    """What is asked of a torch tensor, on numpy's memory."""

    layout, requires_grad = "torch.strided", False
    device = SimpleNamespace(type="cuda")

    def __init__(self, array):
        self.array, self.shape, self.ndim, self.itemsize = array, array.shape, array.ndim, array.itemsize
        self.dtype = f"torch.{array.dtype}"

    def stride(self):
        return tuple(step // self.itemsize for step in self.array.strides)

    def data_ptr(self):
        return self.array.ctypes.data

    def element_size(self):
        return self.itemsize

    def new_empty(self, shape):
        return Tensor(np.full(shape, np.nan, self.array.dtype))

    def is_inference(self):
        return False


Tensor.__module__ = "torch"


@pytest.fixture(autouse=True)
def fake_torch(monkeypatch):
    """A device and the default stream; the simulator compiles nothing."""
    streams = SimpleNamespace(current_stream=lambda device: SimpleNamespace(cuda_stream=0), device=lambda device: nullcontext())
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=streams))
    monkeypatch.setattr(launch, "compiled", lambda made, dtype, sizes: cuda.jit(made.entry(dtype, *sizes)))
    launch.configured.cache_clear()


def operands(m, n, p, dtype="float32"):
    random = np.random.default_rng([m, n, p])
    return [random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p))]


NAMES = [kernel.name for kernel in kernels.available("numba-cuda/*")]


def test_the_ladder_is_complete():
    assert [f"numba-cuda/{rung}" for rung in kernels.registry.RUNGS] == NAMES
    assert len({kernels.find(name).function.__doc__ for name in NAMES}) == len(NAMES)  # `list` prints it


@pytest.mark.parametrize("name", NAMES)
def test_the_public_call(name):
    a, b = operands(3, 5, 2)
    out = kernels.matmul(Tensor(a), Tensor(b), kernel=name)
    assert error(a, b, out.array) <= bound(5, "float32")
    assert kernels.matmul(Tensor(a), Tensor(b[:, :0]), kernel=name).shape == (3, 0)


def test_a_tile_goes_to_the_kernel_in_its_order():
    a, b = operands(5, 4, 7, "float64")
    out = np.full((5, 7), np.nan)
    kernels.find("numba-cuda/tiled").bind({"tp": 4, "tn": 3, "tm": 2})(Tensor(a), Tensor(b), Tensor(out))
    assert error(a, b, out) <= bound(4, "float64")


def test_full_guards_nothing_only_where_the_tiles_fit(monkeypatch):
    taken = []
    monkeypatch.setattr(launch.Rung, "__call__", lambda made, *_: taken.append(made))
    rows, columns, depth, *_ = BLOCKINGS["float32"]
    for (m, n, p), stage, copied in [
        ((rows, depth, columns), STAGES[-1], 4),
        ((rows, depth, columns + 4), STAGES[-2], 4),
        ((rows, depth + 1, columns), STAGES[-2], 1),
    ]:  # fmt: skip
        a, b = operands(m, n, p)
        kernels.matmul(Tensor(a), Tensor(b), kernel="numba-cuda/full")
        assert taken.pop() is stage.rung("float32", copied)


def test_bfloat16_goes_to_the_tensor_cores():
    tensors = [Tensor(np.array(values, np.uint16)) for values in ([[0x3F80, 0x4000]], [[0x4040], [0x4080]], [[0]])]
    for tensor in tensors:
        tensor.dtype = "torch.bfloat16"
    a, b, out = tensors  # 1 x 3 + 2 x 4
    kernels.matmul(a, b, out, kernel="numba-cuda/full")
    assert out.array.tolist() == [[0x4130]]


def test_a_stage_that_guards_nothing_refuses_what_does_not_fit():
    a, b = operands(3, 5, 2)
    with pytest.raises(ValueError, match="multiples of"):
        STAGES[-1](Tensor(a), Tensor(b), Tensor(np.empty((3, 2), np.float32)))


def test_a_grid_that_is_too_large_is_refused():
    a, out = Tensor(np.empty((1, 0), np.float32)), Tensor(np.empty((1, 2**20), np.float32))
    with pytest.raises(ValueError, match=r"out: expected a grid of at most \(2147483647, 65535\) blocks, got \(1, 65536\)"):
        kernels.find("numba-cuda/elementwise").function(a, Tensor(np.empty((0, 2**20), np.float32)), out)
