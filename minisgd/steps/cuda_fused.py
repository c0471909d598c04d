"""All epochs of many models in one launch, a warp a model: `cuda-fused`.

A launch costs more than a step of a small model, so none is left but one. The rows of all examples and the visiting order go to
shared memory where they fit, and every warp of a block reads them there. Outputs are models that see the same examples, and there
may be whole sets of models, with learning rates of their own. When this is faster than a CPU: docs/decisions/020-sgd-on-a-gpu.md.

A visit of no example makes a model's weights NaN: the GPU could raise no error but later, and for the whole process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numba import types
from numpy import uint32, uint64

from kernels.cuda.launch import OPERAND, operand
from kernels.cuda.primitives import VECTOR_BYTES, commit_copies, copy_async, cuda, inlined, matrix, wait_copies
from minisgd.steps import Array, Epoch, step
from minisgd.steps.cuda_loop import MOST, Layout, make, sharing
from minisgd.steps.cuda_warp import LANES

WARPS = 4
"""Of a block, which share rows and order: one for each scheduler of a multiprocessor."""

LAUNCH_BOUNDS = WARPS * LANES, 1
"""Threads of a block, and blocks that must fit on a multiprocessor: what limits a thread's registers."""


@step("cuda-fused", compiles=True, devices=("cuda",))
def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """One set of models, an epoch a launch; see `sets` for more."""
    run = sets(x, y, weights[None], bias[None], objective)
    return lambda order, batch_size, rate: run(order[None], batch_size, rate)


def sets(x: Any, y: Any, weights: Any, bias: Any, objective: str, factors: Any = None) -> Callable[[Any, int, float], None]:
    """Many sets of models that learn from the same examples at once.

    Parameters
    ----------
    x : (n, d) tensor on a GPU
    y : (n, k) tensor
        A target for each model of a set.
    weights : (s, d, k) tensor
        Of s sets; trained in place, as are their biases.
    bias : (s, k) tensor
    objective : {"squared", "logistic"}
    factors : (s,) tensor, optional
        What each set's learning rate is multiplied with; 1 if left out.

    Returns
    -------
    callable
        ``run(orders, batch_size, rate)`` with `orders` (epochs, visits) of int64: all epochs in one launch.

    Raises
    ------
    ValueError
        If a warp's registers do not hold the weights of a model.
    """
    (n, d), (count, _, k), dtype = x.shape, weights.shape, str(x.dtype).removeprefix("torch.")
    rows, number = packed(x, y), getattr(np, dtype)
    factors = x.new_ones(count) if factors is None else factors
    fixed = rows.data_ptr(), operand(weights.view(count * d, k)), operand(bias), operand(factors[:, None])

    def run(orders: Any, batch_size: int, rate: float, _kept: Any = (rows, weights, bias, factors)) -> None:
        visits = orders.shape[1]
        if orders.numel() == 0:
            return
        layout = layout_of(n, d, k, visits, batch_size, dtype, objective)
        scales = [number(rate) / number(size) for size in (batch_size, (visits - 1) % batch_size + 1)]
        launch(layout, -(-count * k // WARPS), x.device, *fixed, operand(orders), batch_size, *scales)

    return run


def launch(layout: Layout, blocks: int, device: Any, *arguments: Any) -> None:
    """Launch on the stream that torch uses now."""
    import torch

    with torch.cuda.device(device):
        _configured(layout, blocks, torch.cuda.current_stream().cuda_stream)(*arguments)


@lru_cache(maxsize=64)
def _configured(layout: Layout, blocks: int, stream: int) -> Any:
    """A kernel that is ready to be launched: to find this out takes longer than the launch."""
    return compiled(layout)[blocks, WARPS * LANES, cuda.external_stream(stream) if stream else 0]


def layout_of(n: int, d: int, k: int, visits: int, batch_size: int, dtype: str, objective: str) -> Layout:
    """The layout that a problem is compiled for: as many groups of lanes as there are, or as the batch has use for."""
    most = LANES * MOST[dtype]
    if d > most:
        raise ValueError(f"weights: cuda-fused holds at most {most} of a model in {dtype}, got {d}")
    groups = min(LANES // sharing(d), 1 << (batch_size - 1).bit_length())
    return Layout(n, d, k, visits, groups, batch_size > groups, dtype, objective == "logistic")


def packed(x: Any, y: Any) -> Any:
    """Features and targets in rows as `Layout` has them, one of NaN behind them, and one of zeros."""
    (n, d), k = x.shape, y.shape[1]
    layout = layout_of(n, d, k, 1, 1, str(x.dtype).removeprefix("torch."), "squared")
    whole = x.new_zeros(layout.size)
    rows, targets = whole[: (n + 2) * layout.width].view(n + 2, layout.width), layout.own * layout.sharing
    rows[:n, :d], rows[:n, targets : targets + k], rows[n] = x, y, np.nan
    return whole


def entry(layout: Layout) -> Callable[..., None]:
    """The function that is compiled: of what `signature` says."""
    number, size, visits, slots = getattr(np, layout.dtype), layout.size, layout.visits, layout.own + 1
    epoch, (load, store) = make(layout, number), _models(layout, number)
    near, show = _copies(layout) if layout.held else (_far_rows, _far_visits)
    shared, shared_visits = (size, visits) if layout.held else (1, 1)

    def train(
        rows_at: Any, weights_at: Any, bias_at: Any, factors_at: Any, orders_at: Any, batch: Any, scale: Any, last_scale: Any
    ) -> None:
        weights, bias, factors = matrix(weights_at, number), matrix(bias_at, number), matrix(factors_at, number)
        w = cuda.local.array(slots, number)
        lane, column, taken, factor = load(weights, bias, factors, w)
        rows = near(matrix((rows_at, 1, size, size, 1), number), cuda.shared.array((1, shared), number, alignment=16))
        orders, order = matrix(orders_at, np.int64), cuda.shared.array((1, shared_visits), np.int32)
        for e in range(orders.shape[0]):
            visited, which = show(orders, e, order)
            if taken:
                epoch(rows, visited, which, lane, column, w, batch, scale * factor, last_scale * factor)
        store(weights, bias, w)

    return train


def _copies(layout: Layout) -> Any:
    """How all threads of a block copy the rows, without waiting in between, and the visits of an epoch to shared memory."""
    size, visits, n, lanes = layout.size, layout.visits, layout.n, VECTOR_BYTES // layout.itemsize

    @inlined
    def rows(far: Any, near: Any) -> Any:
        for i in range(cuda.threadIdx.x * lanes, size, cuda.blockDim.x * lanes):
            copy_async(near, uint64(i), uint64(0), far, uint64(i), uint32(lanes), lanes)
        commit_copies()
        wait_copies(0)
        return near

    @inlined
    def visited(orders: Any, e: Any, order: Any) -> Any:
        """Where they are, and in which row; visits of no example are of the row of NaN."""
        cuda.syncthreads()  # until all warps have gone through the last epoch's
        for i in range(cuda.threadIdx.x, visits, cuda.blockDim.x):
            row = orders[e, i]
            order[0, i] = row if 0 <= row < n else n
        cuda.syncthreads()
        return order, 0

    return rows, visited


@inlined
def _far_rows(far: Any, near: Any) -> Any:
    """Rows where they are."""
    return far


@inlined
def _far_visits(orders: Any, e: Any, order: Any) -> Any:
    """Visits where they are."""
    return orders, e


def _models(layout: Layout, number: Any) -> Any:
    """How a warp finds its model, and puts it back."""
    d, k, own, sharing, zero = layout.d, layout.k, layout.own, layout.sharing, number(0)

    @inlined
    def model() -> Any:
        """Lane, set and column."""
        thread = cuda.threadIdx.x
        which = cuda.blockIdx.x * (cuda.blockDim.x // LANES) + thread // LANES
        return thread % LANES, which // k, which % k

    @inlined
    def load(weights: Any, bias: Any, factors: Any, w: Any) -> Any:
        """A lane's weights and the bias; its number, the column, whether there is a model for this warp, and its factor."""
        lane, one, column = model()
        taken, first = one < bias.shape[0], lane % sharing * own
        for i in range(own):
            w[i] = weights[one * d + first + i, column] if taken and first + i < d else zero
        w[own] = bias[one, column] if taken and lane % sharing == 0 else zero
        return lane, column, taken, factors[one, 0] if taken else zero

    @inlined
    def store(weights: Any, bias: Any, w: Any) -> None:
        lane, one, column = model()
        if one < bias.shape[0] and lane < sharing:
            for i in range(own):
                if lane * own + i < d:
                    weights[one * d + lane * own + i, column] = w[i]
            if lane == 0:
                bias[one, column] = w[own]

    return load, store


def signature(layout: Layout) -> Any:
    """The rows' address, the other arrays as operands, the batch size, and the learning rate over it and over the last one's."""
    number = getattr(types, layout.dtype)
    return types.void(types.int64, OPERAND, OPERAND, OPERAND, OPERAND, types.int32, number, number)


@cache
def compiled(layout: Layout) -> Any:
    """The kernel of a layout. Without lto, by which the linker would optimise anew what the tests have counted."""
    return cuda.jit(signature(layout), launch_bounds=LAUNCH_BOUNDS, lto=False)(entry(layout))
