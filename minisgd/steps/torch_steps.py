"""Steps in torch: the chapter's from scratch, its concise version, torch's multi-tensor optimiser, and a compiled step.

All share the arrays' memory with the caller, so weights and bias are updated in place. The eager ones cost some tens of
microseconds a step whatever its size: that is what their loops at batch 1 measure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from minisgd.steps import Array, Epoch, step


def objective_loss(objective: str, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean over the examples, summed over the outputs; the squared error with its half."""
    if objective == "squared":
        return 0.5 * mse_loss(z, y, reduction="sum") / len(z)
    return binary_cross_entropy_with_logits(z, y, reduction="sum") / len(z)


def batched(x: Array, y: Array, one: Callable[[torch.Tensor, torch.Tensor, float], None]) -> Epoch:
    """An epoch of steps ``one(x_batch, y_batch, rate)`` on tensors."""
    examples, targets = torch.from_numpy(x), torch.from_numpy(y)

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        for rows in torch.split(torch.from_numpy(order), batch_size):
            one(examples[rows], targets[rows], rate)

    return epoch


def sgd(params: list[torch.Tensor], states: Any, hyperparams: dict[str, float]) -> None:
    """The chapter's update: in place, and the gradients zeroed behind it."""
    for p in params:
        assert p.grad is not None
        p.data.sub_(hyperparams["lr"] * p.grad)
        p.grad.data.zero_()


@step("torch", threads=True)
def scratch(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The chapter's own: a linear model by torch.mm, autograd, and the update from scratch."""
    w, b = (torch.from_numpy(each).requires_grad_() for each in (weights, bias))

    def one(x: torch.Tensor, y: torch.Tensor, rate: float) -> None:
        objective_loss(objective, torch.mm(x, w) + b, y).backward()  # type: ignore[no-untyped-call]
        sgd([w, b], None, {"lr": rate})

    return batched(x, y, one)


def with_optimiser(x: Array, y: Array, weights: Array, bias: Array, objective: str, **options: bool) -> Epoch:
    """nn.Linear on the caller's memory, and torch.optim.SGD."""
    inputs, outputs = weights.shape
    net = torch.nn.Linear(inputs, outputs)
    net.weight.data = torch.from_numpy(weights).T  # a view: the caller's weights are what is trained
    net.bias.data = torch.from_numpy(bias)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.0, **options)

    def one(x: torch.Tensor, y: torch.Tensor, rate: float) -> None:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        objective_loss(objective, net(x), y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return batched(x, y, one)


@step("torch-concise", threads=True)
def concise(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """nn.Linear and torch.optim.SGD."""
    return with_optimiser(x, y, weights, bias, objective, foreach=False)


@step("torch-foreach", threads=True)
def foreach(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The same with the optimiser's multi-tensor update: one call for all parameters."""
    return with_optimiser(x, y, weights, bias, objective, foreach=True)


@cache
def compiled_step(objective: str) -> Any:
    """Forward, gradient and update in one compiled function; no autograd."""

    def one(w: torch.Tensor, b: torch.Tensor, x: torch.Tensor, y: torch.Tensor, rate: torch.Tensor) -> None:
        z = torch.mm(x, w) + b
        r = ((z if objective == "squared" else torch.sigmoid(z)) - y) * (rate / x.shape[0])
        w.sub_(torch.mm(x.T, r))
        b.sub_(r.sum(0))

    return torch.compile(one, dynamic=True)


@step("torch-compile", threads=True, compiles=True)
def compiled(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """torch.compile on the whole step, so that the framework's cost is paid once a step and not once an operator."""
    w, b, function = torch.from_numpy(weights), torch.from_numpy(bias), compiled_step(objective)

    def one(x: torch.Tensor, y: torch.Tensor, rate: float) -> None:
        function(w, b, x, y, torch.tensor(rate, dtype=w.dtype))

    return batched(x, y, one)
