"""The textbook's rungs in torch, on CPU or CUDA tensors: fewer and larger calls from one function to the next.

The framework's own cost a call (two to five microseconds on a CPU, a launch on a GPU) is what the lower rungs measure.
`full` is the MKL that torch brings on a CPU, and cuBLAS on a GPU: a peer.
"""

from __future__ import annotations

from functools import partial

import torch

from kernels.registry import kernel
from kernels.rungs.loop_tiles import square_tile

GPU_TILE = 1024
"""Three such tiles fit in the L2 cache of a GPU (12 MB in float32), and a product of two lasts longer than its launch."""

rung = partial(kernel, "torch", arrays="torch", devices=("cpu", "cuda"))


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


@rung("tiled", threads=True, tile=square_tile, device_tiles={"cuda": dict.fromkeys(("tm", "tn", "tp"), GPU_TILE)})
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
