"""The flop model is proved by counting, not by trust."""

from __future__ import annotations

import numpy as np
import pytest

import kernels
from kernels.flops import compulsory_bytes, flops, intensity, touched_bytes

M, N, P = 4, 6, 8


class Number:
    """A number that counts what is done to it."""

    multiplications = additions = 0

    def __mul__(self, other):
        Number.multiplications += 1
        return Number()

    def __add__(self, other):
        Number.additions += 1
        return Number()

    __radd__ = __add__


def count_with_numbers(kernel, monkeypatch):
    function = kernel.function
    if kernel.backend == "numba":  # the same source, interpreted
        from numba.core.dispatcher import Dispatcher

        from kernels.jit import scratch
        from kernels.rungs import numba_loops

        for module in (numba_loops, scratch):
            for name, value in vars(module).items():
                if isinstance(value, Dispatcher):
                    monkeypatch.setattr(module, name, value.py_func)
        function = getattr(function, "py_func", function)
    a, b, out = (np.array([[Number() for _ in range(q)] for _ in range(r)], object) for r, q in ((M, N), (N, P), (M, P)))
    Number.multiplications = Number.additions = 0
    function(a, b, out, *(3 if name == "tn" else 4 for name in kernel.tile_for("float32")))
    return Number.multiplications, Number.additions


def count_in_torch(kernel):
    """Every operator that reaches the device, by the shapes it was given."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    counted = {"multiplications": 0, "additions": 0}

    class Counter(TorchDispatchMode):
        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            name = op.overloadpacket.__name__
            if name in ("dot", "mv", "mm", "addmm", "addmm_"):
                x, y = args[-2:] if name.startswith("addmm") else args[:2]
                products = x.numel() * (y.shape[1] if y.ndim == 2 else 1)
                rows = 1 if name == "dot" else x.shape[0] * (y.shape[1] if y.ndim == 2 else 1)
                counted["multiplications"] += products
                counted["additions"] += products - (0 if name.startswith("addmm") else rows)
            else:
                assert name in ("select", "slice", "t", "transpose", "permute", "copy_", "zero_", "view"), name
            return op(*args, **(kwargs or {}))

    a, b, out = torch.ones(M, N), torch.ones(N, P), torch.empty(M, P)
    with Counter():
        kernel.function(a, b, out, *(3 if name == "tn" else 4 for name in kernel.tile_for("float32")))
    return counted["multiplications"], counted["additions"]


# These are machine code from the start; numba/full's multiply-adds are counted in the assembly (test_microkernel).
MACHINE_CODE = ("numba/full", "openblas/full", "mkl/full", "aocl/full")
OURS = [kernel for kernel in kernels.available() if kernel.function.__module__.startswith("kernels.")]  # no installed stranger
COUNTABLE = [kernel for kernel in OURS if kernel.name not in MACHINE_CODE and "cpu" in kernel.devices]


@pytest.mark.parametrize("kernel", COUNTABLE, ids=lambda kernel: kernel.name)
def test_every_kernel_does_the_work_that_the_model_counts(kernel, monkeypatch):
    count = count_in_torch(kernel) if kernel.arrays == "torch" else count_with_numbers(kernel, monkeypatch)
    multiplications, additions = count
    assert multiplications == M * N * P == flops(M, N, P) // 2
    # The model counts the first addition too, to zero, which half of the kernels skip; a sum in tiles adds up the tiles.
    tiles_of_n = 2 if kernel.rung == "tiled" else 0
    assert M * N * P - M * P <= additions <= M * N * P + M * P * tiles_of_n


def test_no_rung_touches_less_than_the_compulsory_bytes():
    tile = {"width": 64, "tm": 64, "tn": 64, "tp": 64}
    touched = {rung: touched_bytes(rung, 256, 256, 256, 4, tile) for rung in kernels.registry.RUNGS}
    assert min(touched.values()) == touched["full"] == compulsory_bytes(256, 256, 256, 4)
    assert touched["elementwise"] > touched["rowwise"] > touched["block"] > touched["full"]


def test_an_empty_product_has_no_intensity():
    assert intensity(0, 0, 3, 4) == 0.0


def test_bytes_by_hand():
    # Two slabs of three columns: a is read twice, b and out once each.
    assert touched_bytes("block", 4, 5, 6, 8, {"width": 3}) == 8 * (2 * 20 + 30 + 24)
    # Four rows: of a the row, all of b, and a row of out.
    assert touched_bytes("rowwise", 4, 5, 6, 8) == 8 * 4 * (5 + 30 + 6)
    # Six columns: all of a, of b the column, and a column of out.
    assert touched_bytes("columnwise", 4, 5, 6, 8) == 8 * 6 * (20 + 5 + 4)
    # Two tiles of columns, each of which reads a; two of rows, which read b; two of the depth: out is written, read, written.
    assert touched_bytes("tiled", 4, 5, 6, 8, {"tm": 2, "tn": 3, "tp": 4}) == 8 * (2 * 20 + 2 * 30 + 3 * 24)
    # One element of b for each multiplication, two loads, one store an element of out.
    assert touched_bytes("elementwise", 4, 5, 6, 8) == 8 * (24 * (5 + 5) + 24)
