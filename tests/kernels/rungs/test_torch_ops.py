from __future__ import annotations

import numpy as np
import pytest
import torch
from plugin import python

import kernels
from kernels.accuracy import error
from kernels.rungs import torch_graphs

RUNGS = ["elementwise", "rowwise", "columnwise", "block", "tiled", "full"]
SHAPES = [(33, 70, 21), (1, 1, 1), (5, 0, 3), (0, 4, 2)]


def operands(m, n, p, dtype, seed=0):
    random = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(shape, generator=random).to(getattr(torch, dtype)) for shape in ((m, n), (n, p)))
    return a, b, torch.full((m, p), torch.nan, dtype=a.dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("rung", [rung for rung in RUNGS if rung != "tiled"])
@pytest.mark.parametrize("shape", SHAPES)
def test_half_precision_is_summed_in_float32(rung, dtype, shape):
    a, b, out = operands(*shape, dtype)
    kernel = kernels.find(f"torch/{rung}")
    kernels.matmul(a, b, out, kernel=kernel.name)
    assert error(a.float().numpy(), b.float().numpy(), out.float().numpy()) <= kernel.bound(shape[1], dtype)


def test_cublas_is_told_to_be_exact_whatever_the_environment_says():
    said = python(
        "import kernels, torch; before = torch.get_float32_matmul_precision(); kernels.find('torch/full')\n"
        "matmul = torch.backends.cuda.matmul\n"
        "print(before, torch.get_float32_matmul_precision(), matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction,"
        " matmul.allow_bf16_reduced_precision_reduction)",
        TORCH_ALLOW_TF32_CUBLAS_OVERRIDE="1",
    )
    assert said == "high highest False False False"


def test_tf32_is_on_for_the_product_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "mm", lambda a, b, out: seen.append(torch.backends.cuda.matmul.allow_tf32))
    tf32, full = kernels.find("torch-tf32/full"), kernels.find("torch/full")
    for kernel in (full, tf32, full):
        kernel.function(None, None, None)
    assert seen == [False, True, False]
    assert (tf32.dtypes, tf32.devices) == (("tfloat32",), ("cuda",))


@pytest.fixture
def recorded(monkeypatch):
    """What was recorded, where there is no GPU: to replay is to do the work again, on the operands it was recorded with."""
    made = []

    def record(work):
        made.append(work)
        return work

    monkeypatch.setattr(torch_graphs, "recorded", record)
    monkeypatch.setattr(torch_graphs, "GRAPHS", {})
    return made


@pytest.mark.parametrize("rung", RUNGS)
def test_a_graph_is_recorded_once_for_its_operands(rung, recorded):
    kernel = kernels.find(f"torch-graph/{rung}")
    assert kernel.devices == ("cuda",)
    a, b, out = operands(9, 17, 8, "float32")
    call = kernel.bind(kernel.tile_for("float32"))
    for seed in range(3):  # fresh values where the old ones were
        for x, fresh in zip((a, b, out), operands(9, 17, 8, "float32", seed), strict=True):
            x.copy_(fresh)
        call(a, b, out)
        assert error(a.numpy(), b.numpy(), out.numpy()) <= kernel.bound(17, "float32")
    assert len(recorded) == 1
    call(a, b, other := torch.empty_like(out))
    np.testing.assert_array_equal(other, out)
    assert len(recorded) == 2
    call(a[::2], b, out[::2])  # the same addresses, another shape
    assert len(recorded) == 3


def test_a_graph_is_of_one_tile(recorded):
    kernel, (a, b, out) = kernels.find("torch-graph/block"), operands(9, 17, 8, "float32")
    for width in (4, 8, 4):
        kernel.bind({"width": width})(a, b, out)
    assert [work.args[-1] for work in recorded] == [4, 8]


def test_the_graph_that_was_not_used_for_longest_goes_first(recorded, monkeypatch):
    monkeypatch.setattr(torch_graphs, "KEPT", 2)
    call, (a, b, out) = kernels.find("torch-graph/full").function, operands(9, 17, 8, "float32")
    outs = [torch.empty_like(out) for _ in range(3)]
    for use in (0, 1, 0, 2, 0, 1):  # 2 takes the place of 1
        call(a, b, outs[use])
    assert [work.args[-1] is outs[use] for work, use in zip(recorded, (0, 1, 2, 1), strict=True)] == [True] * 4


def test_a_graph_says_what_the_rung_in_it_does():
    for rung in ("elementwise", "full"):
        assert kernels.find(f"torch-graph/{rung}").function.__doc__ == kernels.find(f"torch/{rung}").function.__doc__
