from __future__ import annotations

import numpy as np
import pytest
import torch

from kernels import UnknownKernel, matmul


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


def test_returns_out_itself():
    out = np.empty((2, 4), np.float32)
    assert matmul(ones(2, 3), ones(3, 4), out=out) is out
    np.testing.assert_array_equal(out, 3)


def test_makes_out_of_the_same_library_and_dtype():
    made = matmul(torch.ones(2, 3, dtype=torch.float64), torch.ones(3, 4, dtype=torch.float64), kernel="torch/full")
    assert made.dtype == torch.float64
    assert made.shape == (2, 4)


READ_ONLY = ones(2, 4)
READ_ONLY.flags.writeable = False
SHARED = ones(8, 8)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ((ones(2, 3), ones(4, 5)), ValueError, r"b: expected 3 rows, as many as a has columns, got shape \(4, 5\)"),
        ((ones(3), ones(3, 4)), ValueError, "a: expected 2 dimensions, got 1"),
        ((ones(2, 3), ones(3, 4), ones(2, 3)), ValueError, r"out: expected shape \(2, 4\), got \(2, 3\)"),
        ((ones(2, 3), ones(3, 4), READ_ONLY), ValueError, "out: expected a writable array, got a read-only one"),
        ((ones(2, 3), ones(3, 4, dtype=np.float64)), TypeError, "b: expected float32 as in a, got float64"),
        ((ones(2, 3, dtype=int), ones(3, 4, dtype=int)), TypeError, "a: numba/full expects float32 or float64, got int64"),
        (([[1.0]], [[1.0]]), TypeError, "a: numba/full expects a numpy array, got builtins.list"),
        ((torch.ones(2, 3), torch.ones(3, 4)), TypeError, "a: numba/full expects a numpy array, got torch.Tensor"),
        ((SHARED, SHARED, SHARED), ValueError, "out: expected memory of its own, got an array that overlaps a"),
        ((SHARED[:4], ones(8, 8), SHARED[3:7]), ValueError, "overlaps a"),
        ((ones(8, 8), SHARED[:, :4], SHARED[:, 2:6]), ValueError, "overlaps b"),
    ],
)
def test_bad_arguments_are_named(arguments, kind, said):
    with pytest.raises(kind, match=said):
        matmul(*arguments)


def test_interleaved_memory_is_not_an_overlap():
    room = np.ones((8, 16))
    matmul(np.ones((8, 8)), room[:, ::2], out=room[:, 1::2])
    np.testing.assert_array_equal(room[:, 1::2], 8)


def test_tensors_that_share_memory_are_an_overlap():
    room = torch.ones(8, 8)
    with pytest.raises(ValueError, match="overlaps a"):
        matmul(room, torch.ones(8, 8), out=room.T, kernel="torch/full")


def test_a_kernel_that_does_not_exist():
    with pytest.raises(UnknownKernel, match="unknown kernel 'numba/tield': did you mean 'numba/tiled'"):
        matmul(ones(1, 1), ones(1, 1), kernel="numba/tield")
