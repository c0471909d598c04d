from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from kernels import UnknownKernel, arrays, kernel, matmul


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
        (
            (np.ma.masked_array(ones(2, 3), mask=True), ones(3, 4)),
            TypeError,
            r"a: numba/full expects .* a masked array, .*filled",
        ),
        ((ones(2, 3), ones(3, 4).view(np.matrix)), TypeError, r"b: numba/full expects .* numpy.matrix; use np.asarray"),
        ((ones(2, 3), ones(3, 4), as_strided(ones(4), (2, 4), (0, 4))), ValueError, "out: .* overlaps itself"),
        ((ones(2, 3), ones(3, 4), as_strided(ones(40), (2, 4), (4, 4))), ValueError, "out: .* overlaps itself"),
        ((ones(2, 3).astype(">f4"), ones(3, 4)), TypeError, "a: numba/full expects float32 or float64, got >f4"),
    ],
)
def test_bad_arguments_are_named(arguments, kind, said):
    with pytest.raises(kind, match=said):
        matmul(*arguments)


with torch.inference_mode():
    INFERRED = torch.ones(2, 4)
TENSOR = torch.ones(2, 3)
with warnings.catch_warnings(action="ignore"):  # torch means to remove them
    QUANTISED = torch.quantize_per_tensor(TENSOR, 0.1, 0, torch.quint8)


@pytest.mark.parametrize("kernel", ["torch/full", "torch/rowwise", "torch/tiled", "torch/elementwise"])
@pytest.mark.parametrize(
    ("a", "out", "kind", "said"),
    [
        (TENSOR.clone().requires_grad_(), None, TypeError, "a: .* requires a gradient"),
        (TENSOR, torch.ones(2, 4, requires_grad=True), TypeError, "out: .* requires a gradient"),
        (TENSOR.to_sparse(), None, TypeError, "a: .* layout sparse_coo; use a.to_dense"),
        (TENSOR.to_mkldnn(), None, TypeError, "a: .* layout _mkldnn"),
        (TENSOR.to("meta"), None, ValueError, "a: .* runs on cpu or cuda, got meta"),
        (QUANTISED, None, TypeError, "a: .* got quint8"),
        (TENSOR, INFERRED, ValueError, "out: expected a writable array"),
        (TENSOR, torch.ones(1, 4).expand(2, 4), ValueError, "out: .* overlaps itself"),
    ],
)
def test_tensors_that_are_not_plain_are_named_alike_by_all_kernels(kernel, a, out, kind, said):
    with pytest.raises(kind, match=said):
        matmul(a, torch.ones(3, 4), out=out, kernel=kernel)


def test_tensors_made_for_inference_may_be_read_and_written_in_its_mode():
    with torch.inference_mode():
        assert matmul(TENSOR, torch.ones(3, 4), out=INFERRED, kernel="torch/full")[0, 0] == 3
    assert matmul(INFERRED.T, TENSOR, kernel="torch/full").shape == (4, 3)


@given(st.tuples(*[st.integers(0, 6)] * 2), st.tuples(*[st.integers(-30, 30)] * 2))
def test_an_overlap_with_itself_is_found_wherever_elements_meet(shape, steps):
    room = np.zeros(1000, np.uint8)
    matrix = np.ndarray(shape, np.float32, room, 500, steps) if 0 not in shape else np.zeros(shape, np.float32)
    places = sorted(i * steps[0] + j * steps[1] for i in range(shape[0]) for j in range(shape[1]))
    meet = any(after - before < 4 for before, after in pairwise(places))
    assert arrays.overlaps_itself(matrix) == meet


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


def test_a_kernel_in_tfloat32_takes_arrays_of_float32():
    entry = kernel("docs", "tfloat32", dtypes=("tfloat32",), tile=lambda dtype: {"width": 7 if dtype == "tfloat32" else 1})
    entry(lambda a, b, out, width: out.fill(width))
    np.testing.assert_array_equal(matmul(ones(2, 3), ones(3, 4), kernel="docs/tfloat32"), 7)
    with pytest.raises(TypeError, match="a: docs/tfloat32 expects float32, got float64"):
        matmul(ones(2, 3, dtype=np.float64), ones(3, 4, dtype=np.float64), kernel="docs/tfloat32")
