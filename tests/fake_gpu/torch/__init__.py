"""A torch with a GPU, for machines without one: tensors are numpy arrays that say where they live, and `cuda` counts and fails.

It stands in sys.modules, or first on a process's path, in torch's place. It has what the harness and the textbook's rungs ask of
torch, and is as strict as torch where a mistake would pass unseen: host and device do not mix, and a lost context stays lost.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from . import cuda
from .cuda import OutOfMemoryError as OutOfMemoryError

__version__ = "0.0+fake"
__config__ = SimpleNamespace(show=lambda: "a fake")
strided = "torch.strided"
backends = SimpleNamespace(cuda=SimpleNamespace(matmul=SimpleNamespace()))


class dtype:  # noqa: N801 (torch's name)
    def __init__(self, name, held_as):
        self.name, self.held_as = name, np.dtype(held_as)

    def __repr__(self):
        return f"torch.{self.name}"


float16, float32, float64, int64 = (dtype(name, name) for name in ("float16", "float32", "float64", "int64"))
bfloat16 = dtype("bfloat16", "float32")
OF_NUMPY = {each.held_as: each for each in (float16, float32, float64, int64)}


class Tensor:
    layout, requires_grad = strided, False

    def __init__(self, array, device, kind):
        self.array, self.dtype = array, kind
        self.device = SimpleNamespace(type=device)
        self.shape, self.ndim = tuple(array.shape), array.ndim

    def _like(self, array):
        return Tensor(array, self.device.type, self.dtype)

    def __array__(self, *arguments, **options):
        if self.device.type != "cpu":
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return np.asarray(self.array)

    def to(self, what):
        cuda.check()
        if isinstance(what, dtype):
            return Tensor(self.array.astype(what.held_as), self.device.type, what)
        return Tensor(self.array.copy(), what, self.dtype)

    def float(self):
        return self.to(float32)

    def pin_memory(self):
        return self

    def copy_(self, other, non_blocking=False):
        cuda.check()
        self.array[...] = other.array
        return self

    def zero_(self):
        self.array[...] = 0

    def addmm_(self, a, b):
        _same_place(self, a, b)
        self.array += a.array @ b.array

    @property
    def T(self):  # noqa: N802 (torch's name)
        return self._like(self.array.T)

    def __getitem__(self, place):
        return self._like(self.array[place])

    def __setitem__(self, place, value):
        self.array[place] = value.array

    def data_ptr(self):
        return self.array.ctypes.data

    def element_size(self):
        return self.array.itemsize

    def stride(self):
        return tuple(step // self.array.itemsize for step in self.array.strides)

    def is_inference(self):
        return False

    def new_empty(self, shape):
        return self._like(np.empty(shape, self.array.dtype))


def _same_place(*tensors):
    if len({each.device.type for each in tensors}) > 1:
        raise RuntimeError("Expected all tensors to be on the same device")
    cuda.check()


def from_numpy(array):
    return Tensor(array, "cpu", OF_NUMPY[array.dtype])


def mm(a, b, out):
    _same_place(a, b, out)
    wide = np.float32 if a.array.dtype == np.float16 else a.array.dtype  # numpy's own half precision takes minutes
    out.array[...] = a.array.astype(wide, copy=False) @ b.array.astype(wide, copy=False)


def mv(a, x, out):
    mm(a, x, out)


def dot(x, y):
    _same_place(x, y)
    return x._like(np.asarray(x.array @ y.array))


def get_num_threads():
    return 1


def set_num_threads(threads):
    pass


def set_float32_matmul_precision(precision):
    assert precision in ("highest", "high", "medium")
