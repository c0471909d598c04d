"""The PyTorch tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils import data

from benchmarks.frameworks.chapter import SIZE, WIDTH, Training


def products(rows: Iterable[int]) -> Iterator[Callable[[], None]]:
    """A[i, j] by torch.dot, A[:, j] by torch.mv, A by torch.mm, A[:, j:j+64] by torch.mm."""
    a, b, c = torch.zeros(SIZE, SIZE), torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)

    def elementwise() -> None:
        for i in rows:
            for j in range(SIZE):
                a[i, j] = torch.dot(b[i, :], c[:, j])

    def columnwise() -> None:
        for j in range(SIZE):
            a[:, j] = torch.mv(b, c[:, j])

    def full() -> None:
        torch.mm(b, c)

    def block() -> None:
        for j in range(0, SIZE, WIDTH):
            a[:, j : j + WIDTH] = torch.mm(b, c[:, j : j + WIDTH])

    yield from (elementwise, columnwise, full, block)


def loaded(x: NDArray[Any], y: NDArray[Any], batch_size: int) -> Any:
    """A shuffling DataLoader."""
    return data.DataLoader(data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size, shuffle=True)


def squared_loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Half the squared error of each example."""
    return (z - y.reshape(z.shape)) ** 2 / 2


def linear(x: NDArray[Any], y: NDArray[Any], batch_size: int, rate: float) -> Training:
    """Weights of its own, autograd, and the update from scratch."""
    w = torch.normal(mean=0.0, std=0.01, size=(x.shape[1], 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    batches = loaded(x, y, batch_size)

    def step(some: torch.Tensor, targets: torch.Tensor) -> None:
        squared_loss(torch.matmul(some, w) + b, targets).mean().backward()  # type: ignore[no-untyped-call]
        for p in (w, b):
            assert p.grad is not None
            p.data.sub_(rate * p.grad)
            p.grad.data.zero_()

    def loss() -> float:
        with torch.no_grad():
            return float(squared_loss(torch.matmul(torch.from_numpy(x), w) + b, torch.from_numpy(y)).mean())

    return Training(batches, step, loss)


def concise(x: NDArray[Any], y: NDArray[Any], batch_size: int, rate: float) -> Training:
    """nn.Linear, nn.MSELoss and torch.optim.SGD; its loss has no factor 1/2, so half the rate does the same."""
    net = nn.Linear(x.shape[1], 1)
    nn.init.normal_(net.weight, std=0.01)
    optimiser, criterion = torch.optim.SGD(net.parameters(), lr=rate / 2), nn.MSELoss(reduction="none")
    batches = loaded(x, y, batch_size)

    def step(some: torch.Tensor, targets: torch.Tensor) -> None:
        optimiser.zero_grad()
        z = net(some)
        criterion(z, targets.reshape(z.shape)).mean().backward()
        optimiser.step()

    def loss() -> float:
        with torch.no_grad():
            return float(criterion(net(torch.from_numpy(x)), torch.from_numpy(y).reshape(-1, 1)).mean()) / 2

    return Training(batches, step, loss)
