"""Products in Triton, launched: which of the two kernels takes the operands as they lie, with which configuration.

float16, bfloat16 and TF32 go to the tensor cores. float32 is multiplied as float32, on the other cores: TF32 is a backend of its
own, as it is for torch, so that the two are never compared with each other.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from triton.tools.tensor_descriptor import TensorDescriptor

from kernels.registry import kernel
from kernels.triton import measured, products
from kernels.triton.configurations import Configuration, choose

TMA_FROM = 9
"""Major compute capability: Hopper."""

TMA_ALIGNMENT = 16
"""Bytes, of addresses and of rows (CUDA driver API, cuTensorMapEncodeTiled)."""


class Gpu(NamedTuple):
    """What a configuration is chosen by."""

    processors: int
    tma: bool
    name: str = ""


@cache
def gpu(device: torch.device) -> Gpu:
    """Multiprocessors of a GPU, whether it has a TMA, and its name."""
    found = torch.cuda.get_device_properties(device)
    return Gpu(found.multi_processor_count, found.major >= TMA_FROM, found.name)


def lies(x: torch.Tensor) -> str | None:
    """Along what a matrix lies in one piece that the TMA can describe: "rows", "columns", or None."""
    if 0 in x.shape or x.data_ptr() % TMA_ALIGNMENT:
        return None
    down, along = x.stride()
    for name, step, other in (("rows", along, down), ("columns", down, along)):
        if step == 1 and other * x.element_size() % TMA_ALIGNMENT == 0:
            return name
    return None


def describable(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> bool:
    """Whether the persistent kernel takes these: a tensor core reads float32 along n alone, 16 bits along either side."""
    if a.dtype == torch.float32 and (lies(a), lies(b)) != ("rows", "columns"):
        return False
    return lies(a) is not None and lies(b) is not None and lies(out) == "rows"


def multiply(dtype: str, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """The product, by the configuration that was measured for its shape, or else chosen; see `kernels.Kernel`."""
    if out.numel() == 0:
        return
    here = gpu(out.device)
    (m, n), p = a.shape, b.shape[1]
    described = here.tma and describable(a, b, out)
    chosen = measured.find(here.name, dtype, (m, max(1, n), p), described) or choose(dtype, m, p, here.processors, described)
    launch(dtype, a, b, out, chosen, here.processors)


def launch(dtype: str, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor, chosen: Configuration, processors: int) -> None:
    """The product, by a configuration of one's own; one that is persistent needs operands that are `describable`."""
    (m, n), p = a.shape, b.shape[1]
    bm, bn, bp = chosen[:3]
    tiles, precision = chosen.tiles(m, p), "tf32" if dtype == "tfloat32" else "ieee"
    options = {"group": chosen.group, "precision": precision, "num_warps": chosen.warps, "num_stages": chosen.stages}
    if chosen.persistent:
        programs = min(tiles, processors)
        (boxes_a, a_across), (boxes_b, b_across) = described(a, bm, bn), described(b, bn, bp)
        boxes_out, _ = described(out, bm, bp // 2)
        products.persistent[(programs,)](
            boxes_a, boxes_b, boxes_out, m, n, p, programs, bm=bm, bn=bn, bp=bp, a_across=a_across, b_across=b_across, **options
        )  # fmt: skip
        return
    whole = m % bm == n % bn == p % bp == 0
    products.product[(tiles,)](
        a, b, out, m, n, p, *a.stride(), *b.stride(), *out.stride(), bm=bm, bn=bn, bp=bp, whole=whole, **options
    )


def described(x: torch.Tensor, rows: int, columns: int) -> tuple[TensorDescriptor, bool]:
    """A descriptor of boxes of a matrix, or of its transpose if that is how it lies; and whether it is that of the transpose."""
    if lies(x) == "rows":
        return TensorDescriptor.from_tensor(x, [rows, columns]), False
    return TensorDescriptor.from_tensor(x.T, [columns, rows]), True


def register(backend: str, *dtypes: str) -> None:
    """Enter `full` into the table; of a backend's dtypes each has another element type."""
    chosen = {torch.float32: "tfloat32" if "tfloat32" in dtypes else "float32"}

    @kernel(backend, "full", arrays="torch", devices=("cuda",), dtypes=dtypes, compiles=True)
    def full(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
        """One launch."""
        multiply(chosen.get(a.dtype) or str(a.dtype).removeprefix("torch."), a, b, out)


register("triton", "float32", "float16", "bfloat16")
register("triton-tf32", "tfloat32")
