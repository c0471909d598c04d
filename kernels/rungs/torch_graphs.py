"""torch's rungs on a GPU as CUDA graphs: the same kernels, launched all at once.

A launch costs the host some five microseconds, which is what an eager rung of many small calls is made of. A graph is recorded
once for its operands, where they lie; to replay it is one launch, and its kernels follow one another without the host.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial, update_wrapper
from typing import Any

import torch

from kernels.registry import kernel
from kernels.rungs.torch_ops import RUNGS

KEPT = 128
"""Graphs at a time; one of a rung with a call an element takes some hundred bytes for each."""

GRAPHS: dict[Hashable, Callable[[], None]] = {}
"""How to replay what has been recorded, in the order of last use."""


def register() -> None:
    """Register the backend `torch-graph`, with every rung of torch's."""
    for name, (function, declared) in RUNGS.items():
        replayed = update_wrapper(partial(replay, function), function)  # for its docstring
        kernel("torch-graph", name, arrays="torch", devices=("cuda",), **declared)(replayed)


def replay(function: Callable[..., None], a: torch.Tensor, b: torch.Tensor, out: torch.Tensor, *tile: int) -> None:
    """Run the graph of a rung on these operands, recorded before or now."""
    key = function, tile, *((x.data_ptr(), x.dtype, x.shape, x.stride()) for x in (a, b, out))
    graph = GRAPHS.pop(key, None) or recorded(partial(function, a, b, out, *tile))
    GRAPHS[key] = graph
    if len(GRAPHS) > KEPT:
        del GRAPHS[next(iter(GRAPHS))]
    graph()


def recorded(work: Callable[[], Any]) -> Callable[[], None]:
    """How to replay work on the current device as one launch; it is done once before it is recorded.

    The first time it loads kernels and makes cuBLAS's workspace, which cannot be recorded; PyTorch asks for a stream of its own
    ("CUDA semantics", CUDA Graphs).
    """
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
