"""The textbook's rungs in torch, on CPU or CUDA tensors: fewer and larger calls from one function to the next.

The framework's own cost a call (two to five microseconds on a CPU, a launch on a GPU) is what the lower rungs measure.
`full` is the MKL that torch brings on a CPU, and cuBLAS on a GPU: a peer.

cuBLAS is told what a kernel's dtype says, whatever the environment does: products of float32 in float32, those of the backend
`torch-tf32` in TF32, and all of float16 and bfloat16 summed in float32 to the end. These are switches of the process, set as this
module is imported; PyTorch's notes on CUDA have them under "TensorFloat-32" and "Reduced Precision Reduction".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from kernels.dtypes import FLOATS
from kernels.registry import kernel
from kernels.rungs.loop_tiles import square_tile

GPU_TILE = 1024
"""Three such tiles fit in the L2 cache of a GPU (12 MB in float32), and a product of two lasts longer than its launch."""

Rung = Callable[..., None]

RUNGS: dict[str, tuple[Rung, dict[str, Any]]] = {}
"""What is declared of each: the backend `torch-graph` has the same."""

torch.set_float32_matmul_precision("highest")
for switch in ("allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction"):
    setattr(torch.backends.cuda.matmul, switch, False)


def rung(name: str, **declared: Any) -> Callable[[Rung], Rung]:
    """Register a rung on both devices."""
    declared = {"dtypes": (*FLOATS, "float16", "bfloat16"), **declared}

    def register(function: Rung) -> Rung:
        RUNGS[name] = function, declared
        return kernel("torch", name, arrays="torch", devices=("cpu", "cuda"), **declared)(function)

    return register


@rung("elementwise")
def elementwise(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """M p dot products of length n, a call each."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = torch.dot(a[i, :], b[:, j])


@rung("rowwise", threads=True)
def rowwise(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """M vector-matrix products, which read b m times in all."""
    for i in range(out.shape[0]):
        torch.mv(b.T, a[i, :], out=out[i, :])


@rung("columnwise", threads=True)
def columnwise(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """P matrix-vector products, which read a p times in all."""
    for j in range(out.shape[1]):
        torch.mv(a, b[:, j], out=out[:, j])


@rung("block", threads=True, tile={"width": 64})
def block(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor, width: int) -> None:
    """P / width products with a slab of b's columns."""
    for j in range(0, out.shape[1], width):
        torch.mm(a, b[:, j : j + width], out=out[:, j : j + width])


@rung(  # each sum in `out` would be rounded to its 16 bits
    "tiled", threads=True, dtypes=FLOATS, tile=square_tile, device_tiles={"cuda": dict.fromkeys(("tm", "tn", "tp"), GPU_TILE)}
)
def tiled(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor, tm: int, tn: int, tp: int) -> None:
    """Products of tiles, added up over n in place."""
    out.zero_()
    for i in range(0, a.shape[0], tm):
        for k in range(0, a.shape[1], tn):
            for j in range(0, b.shape[1], tp):
                out[i : i + tm, j : j + tp].addmm_(a[i : i + tm, k : k + tn], b[k : k + tn, j : j + tp])


@rung("full", threads=True, peer=True)
def full(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """One call of the library's gemm."""
    torch.mm(a, b, out=out)


def tf32() -> None:
    """Register the backend `torch-tf32`."""

    @kernel("torch-tf32", "full", arrays="torch", devices=("cuda",), dtypes=("tfloat32",), peer=True)
    def full(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
        """One call of cuBLAS's gemm, on tensor cores that take float32 cut off to TF32."""
        torch.set_float32_matmul_precision("high")
        try:
            torch.mm(a, b, out=out)
        finally:
            torch.set_float32_matmul_precision("highest")
