"""Steps in torch: the chapter's from scratch, its concise version, torch's multi-tensor optimiser, a compiled step, and a graph.

All share the arrays' memory with the caller, on the CPU or a GPU, so weights and bias are updated in place. The eager ones cost
some tens of microseconds a step whatever its size: that is what their loops at batch 1 measure. On a GPU a visit out of range is
found out only later, by an error after which the process cannot use the GPU any more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from kernels.rungs.torch_graphs import recorded
from minisgd.steps import Array, Epoch, step

BOTH = ("cpu", "cuda")


def objective_loss(objective: str, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean over the examples, summed over the outputs; the squared error with its half."""
    if objective == "squared":
        return 0.5 * mse_loss(z, y, reduction="sum") / len(z)
    return binary_cross_entropy_with_logits(z, y, reduction="sum") / len(z)


def batched(x: Array, y: Array, one: Callable[[torch.Tensor, torch.Tensor, Any], None]) -> Callable[[Any, int, Any], None]:
    """An epoch of steps ``one(x_batch, y_batch, rate)`` on tensors."""
    examples, targets = torch.as_tensor(x), torch.as_tensor(y)

    def epoch(order: Array, batch_size: int, rate: float) -> None:
        for rows in torch.split(torch.as_tensor(order), batch_size):
            one(examples[rows], targets[rows], rate)

    return epoch


def sgd(params: list[torch.Tensor], states: Any, hyperparams: dict[str, float]) -> None:
    """The chapter's update: in place, and the gradients zeroed behind it."""
    for p in params:
        assert p.grad is not None
        p.data.sub_(hyperparams["lr"] * p.grad)
        p.grad.data.zero_()


def on_memory_of(array: Array) -> torch.Tensor:
    """A tensor of one's own on the memory of an array, or of the caller's tensor."""
    return torch.as_tensor(array).detach()


@step("torch", threads=True, devices=BOTH)
def scratch(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The chapter's own: a linear model by torch.mm, autograd, and the update from scratch."""
    w, b = (on_memory_of(each).requires_grad_() for each in (weights, bias))

    def one(x: torch.Tensor, y: torch.Tensor, rate: float) -> None:
        objective_loss(objective, torch.mm(x, w) + b, y).backward()  # type: ignore[no-untyped-call]
        sgd([w, b], None, {"lr": rate})

    return batched(x, y, one)


def with_optimiser(
    x: Array, y: Array, weights: Array, bias: Array, objective: str, wrap: Callable[[Any], Any] = lambda net: net, **options: bool
) -> Epoch:
    """nn.Linear on the caller's memory, in what the wrapper makes of it, and torch.optim.SGD."""
    (inputs, outputs), w = weights.shape, on_memory_of(weights)
    linear = torch.nn.Linear(inputs, outputs, dtype=w.dtype, device=w.device)
    linear.weight.data = w.T  # a view: the caller's weights are what is trained
    linear.bias.data = on_memory_of(bias)
    net = wrap(linear)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.0, **options)

    def one(x: torch.Tensor, y: torch.Tensor, rate: float) -> None:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        objective_loss(objective, net(x), y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return batched(x, y, one)


@step("torch-concise", threads=True, devices=BOTH)
def concise(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """nn.Linear and torch.optim.SGD."""
    return with_optimiser(x, y, weights, bias, objective, foreach=False)


@step("torch-foreach", threads=True, devices=BOTH)
def foreach(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The same with the optimiser's multi-tensor update: one call for all parameters."""
    return with_optimiser(x, y, weights, bias, objective, foreach=True)


def direct(objective: str) -> Callable[..., None]:
    """Forward, gradient and update of a step, each a few operators; no autograd."""

    def one(w: torch.Tensor, b: torch.Tensor, x: torch.Tensor, y: torch.Tensor, rate: torch.Tensor) -> None:
        z = torch.mm(x, w) + b
        r = ((z if objective == "squared" else torch.sigmoid(z)) - y) * (rate / x.shape[0])
        w.sub_(torch.mm(x.T, r))
        b.sub_(r.sum(0))

    return one


@cache
def compiled_step(objective: str) -> Any:
    """The direct step in one compiled function."""
    return torch.compile(direct(objective), dynamic=True)


@step("torch-compile", threads=True, compiles=True, devices=BOTH)
def compiled(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """torch.compile on the whole step, so that the framework's cost is paid once a step and not once an operator."""
    w, b, function = on_memory_of(weights), on_memory_of(bias), compiled_step(objective)

    def one(x: torch.Tensor, y: torch.Tensor, rate: torch.Tensor) -> None:
        function(w, b, x, y, rate)

    steps = batched(x, y, one)
    return lambda order, batch_size, rate: steps(order, batch_size, torch.tensor(rate, dtype=w.dtype, device=w.device))


@step("torch-graph", devices=("cuda",))
def graph(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The direct steps of a whole epoch as a CUDA graph: one launch an epoch."""
    w, b, function = on_memory_of(weights), on_memory_of(bias), direct(objective)
    rate_now = torch.zeros((), dtype=w.dtype, device=w.device)
    steps = batched(x, y, lambda x, y, rate: function(w, b, x, y, rate))

    @cache
    def whole(visits: int, batch_size: int) -> tuple[torch.Tensor, Callable[[], None]]:
        """Where the visits of an epoch are put, and how to replay it; recorded at rate 0, which leaves the weights alone."""
        order = torch.zeros(visits, dtype=torch.int64, device=w.device)
        rate_now.zero_()
        return order, recorded(lambda: steps(order, batch_size, rate_now))

    def epoch(order: Array, batch_size: int, rate: float) -> None:
        held, replay = whole(len(order), batch_size)
        held.copy_(torch.as_tensor(order))
        rate_now.fill_(rate)
        replay()

    return epoch
