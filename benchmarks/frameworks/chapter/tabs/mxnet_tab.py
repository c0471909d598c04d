"""The MXNet tab; its cell `block` does not wait for the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mxnet import autograd, gluon, init, np, npx
from numpy.typing import NDArray

from benchmarks.frameworks.chapter import SIZE, WIDTH, Training

npx.set_np()


def products(rows: Iterable[int]) -> Iterator[Callable[[], None]]:
    """A[i, j], A[:, j], A, A[:, j:j+64], all by np.dot."""
    a = np.zeros((SIZE, SIZE))
    b, c = (np.random.normal(0, 1, (SIZE, SIZE)) for _ in range(2))

    def elementwise() -> None:
        for i in rows:
            for j in range(SIZE):
                a[i, j] = np.dot(b[i, :], c[:, j])
        a.wait_to_read()

    def columnwise() -> None:
        for j in range(SIZE):
            a[:, j] = np.dot(b, c[:, j])
        a.wait_to_read()

    def full() -> None:
        np.dot(b, c).wait_to_read()

    def block() -> None:
        for j in range(0, SIZE, WIDTH):
            a[:, j : j + WIDTH] = np.dot(b, c[:, j : j + WIDTH])

    yield from (elementwise, columnwise, full, block)


def loaded(x: NDArray[Any], y: NDArray[Any], batch_size: int) -> Any:
    """A shuffling gluon DataLoader."""
    dataset = gluon.data.ArrayDataset(np.array(x), np.array(y))
    return gluon.data.DataLoader(dataset, batch_size, shuffle=True)


def linear(x: NDArray[Any], y: NDArray[Any], batch_size: int, rate: float) -> Training:
    """Weights of its own, autograd, and the update from scratch."""
    w, b = np.random.normal(scale=0.01, size=(x.shape[1], 1)), np.zeros(1)
    for p in (w, b):
        p.attach_grad()
    batches = loaded(x, y, batch_size)

    def each(some: Any, targets: Any) -> Any:
        z = np.dot(some, w) + b
        return (z - targets.reshape(z.shape)) ** 2 / 2

    def step(some: Any, targets: Any) -> None:
        with autograd.record():
            loss = each(some, targets).mean()
        loss.backward()
        for p in (w, b):
            p[:] -= rate * p.grad

    return Training(batches, step, lambda: float(each(np.array(x), np.array(y)).mean()))


def concise(x: NDArray[Any], y: NDArray[Any], batch_size: int, rate: float) -> Training:
    """gluon.nn.Dense, L2Loss and a Trainer."""
    net = gluon.nn.Sequential()
    net.add(gluon.nn.Dense(1))
    net.initialize(init.Normal(sigma=0.01))
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": rate})
    criterion, batches = gluon.loss.L2Loss(), loaded(x, y, batch_size)

    def step(some: Any, targets: Any) -> None:
        with autograd.record():
            loss = criterion(net(some), targets)
        loss.backward()
        trainer.step(len(some))

    return Training(batches, step, lambda: float(criterion(net(np.array(x)), np.array(y)).mean()))
