from __future__ import annotations

import numba
import numpy as np
import pytest

from kernels.arrays import aligned_zeros
from kernels.jit.emit import LINE
from kernels.jit.scratch import long_rows, scratch


@numba.njit
def taken(like, count):
    """Addresses of scratch of every size up to `count`, all held at once, and whether it was all zeros and in one piece."""
    held = [scratch((rows, 3), like.dtype) for rows in range(1, count)]
    held_flat = [scratch((length,), like.dtype) for length in range(1, count)]
    clean = True
    for each in held:
        clean = clean and not each.any() and each.strides[0] == 3 * each.itemsize
        each[:, :] = 1  # what is handed out next must not be this
    return [each.ctypes.data for each in held] + [each.ctypes.data for each in held_flat], clean


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_scratch_begins_on_a_cache_line(dtype):
    addresses, clean = taken(np.zeros(1, dtype), 100)
    assert {int(address) % LINE for address in addresses} == {0}
    assert clean


@numba.njit
def strides(like, count):
    return [long_rows(2, length, like).strides[0] for length in range(1, count)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_rows_begin_on_lines_and_in_all_sets_of_a_cache_in_turn(dtype):
    like, sets = np.zeros(1, dtype), 64
    for length, step in enumerate(strides(like, 1030), 1):
        assert step % LINE == 0
        assert 0 <= step - length * like.itemsize < 2 * LINE
        assert len({row * step // LINE % sets for row in range(sets)}) == sets


@pytest.mark.parametrize("alignment", [64, 4096])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_zeros_begin_where_they_are_asked_to(dtype, alignment):
    held = [aligned_zeros((rows, 3), dtype, alignment) for rows in range(1, 100)]
    assert {each.ctypes.data % alignment for each in held} == {0}
    assert all(each.flags.c_contiguous and each.shape[1] == 3 and not each.any() for each in held)
