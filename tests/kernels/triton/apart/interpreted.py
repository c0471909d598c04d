"""Products in Triton's interpreter, on the CPU, held to what every kernel is; run by test_triton.py in a process of its own.

It knows neither bfloat16's arithmetic (triton issue 11584) nor TF32's.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import kernels
from kernels.accuracy import bound, error
from kernels.triton import launch
from kernels.triton.configurations import CONFIGURATIONS, Configuration

DTYPES = ("float32", "float16")
LAYOUTS = ("nnn", "tnt", "nts", "stn")
SHAPES = [
    (0, 3, 5), (3, 0, 5), (3, 5, 0), (1, 1, 1), (63, 15, 65), (64, 64, 64), (65, 17, 63), (1, 70, 130), (129, 1, 2),
    (200, 97, 70),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _small_gpu(monkeypatch):
    """One with two multiprocessors and a TMA, in the place of the CPU that tensors are on here."""
    monkeypatch.setattr(launch, "gpu", lambda device: launch.Gpu(2, True))


def laid(values, layout, dtype):
    """A tensor of these values as it is ("n"), as its transpose's view ("t"), or with steps in both directions ("s")."""
    x = values.to(getattr(torch, dtype))
    if layout == "t":
        return x.T.contiguous().T
    if layout == "s":
        room = torch.full((2 * x.shape[0], 3 * x.shape[1]), torch.nan, dtype=x.dtype)
        room[::2, ::3] = x
        return room[::2, ::3]
    return x


def operands(m, n, p, layouts, dtype):
    random = torch.Generator().manual_seed(m + n + p)
    a, b = (torch.randn(shape, generator=random) for shape in ((m, n), (n, p)))
    filled = torch.full((m, p), torch.nan)
    return [laid(x, layout, dtype) for x, layout in zip((a, b, filled), layouts, strict=True)]


def found_error(a, b, out):
    return error(a.double().numpy(), b.double().numpy(), out.numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_size_and_layout_is_within_the_bound(shape, dtype):
    for layouts in LAYOUTS:
        a, b, out = operands(*shape, layouts, dtype)
        before = a.clone(), b.clone()
        kernels.find("triton/full").function(a, b, out)
        assert found_error(a, b, out) <= bound(shape[1], dtype), layouts
        assert torch.equal(a, before[0])
        assert torch.equal(b, before[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("chosen", "shape"), [(Configuration(64, 16, 64, 4, 2, True, group=2), (200, 72, 328))])
def test_persistent_programs_share_the_tiles_out(chosen, shape, dtype):
    for across_a, across_b, processors in itertools.product("nt", "nt", (1, 5)):
        a, b, out = operands(*shape, f"{across_a}{across_b}n", dtype)
        launch.launch(dtype, a, b, out, chosen, processors)
        assert found_error(a, b, out) <= bound(shape[1], dtype), (across_a, across_b, processors)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_every_committed_configuration_gives_the_product(dtype):
    for chosen in CONFIGURATIONS[dtype]:
        a, b, out = operands(chosen.bm + 8, 2 * chosen.bn + 8, chosen.bp + 8, "nnn", dtype)
        launch.launch(dtype, a, b, out, chosen, 1)
        assert found_error(a, b, out) <= bound(a.shape[1], dtype), chosen


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize("processors", [1, 10**6])
def test_infinities_and_nans_spread_as_in_numpy(processors, monkeypatch):
    monkeypatch.setattr(launch, "gpu", lambda device: launch.Gpu(processors, True))  # persistent; and not
    a, b, out = operands(72, 24, 136, "nnn", "float16")
    a[3, 5], b[5, 2], a[4, 0], a[0, 23], b[23, 135] = torch.inf, 0, torch.nan, -torch.inf, torch.nan
    kernels.find("triton/full").function(a, b, out)
    expected = a.double().numpy() @ b.double().numpy()
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.where(finite, 0, expected), np.where(np.isfinite(out.numpy()), 0, out.numpy()))


def test_what_the_tma_can_describe():
    a = torch.zeros(64, 80, dtype=torch.float16)
    assert (launch.lies(a), launch.lies(a.T), launch.lies(a[:, 8:40])) == ("rows", "columns", "rows")
    for x in (a[:, 1:9], a[:, ::2], a[:0], torch.zeros(8, 9, dtype=torch.float16), torch.zeros(9, 8, dtype=torch.float16).T[::2]):
        assert launch.lies(x) is None
    half, single = (torch.zeros(64, 64, dtype=dtype) for dtype in (torch.float16, torch.float32))
    assert launch.describable(half, half, half)
    assert launch.describable(half.T, half.T, half)
    assert not launch.describable(half, half, half.T)
    assert launch.describable(single, single.T, single)  # along n, as TF32 is read
    assert not launch.describable(single, single, single)
