"""Steps in MXNet: the chapter's from scratch, and its concise version with a Gluon Trainer."""

from __future__ import annotations

from typing import Any

from mxnet import autograd, gluon, np, npx

from minisgd.steps import Array, Epoch, copied, step

npx.set_np()

Tensor = Any


def objective_loss(objective: str, z: Tensor, y: Tensor) -> Tensor:
    """Summed over the batch's examples and their outputs; the squared error with its half."""
    if objective == "squared":
        return 0.5 * np.square(z - y).sum()
    return (npx.activation(z, "softrelu") - z * y).sum()  # gluon's own loss has no gradient where z is 0


def tensor(host: Array) -> Tensor:
    """A copy of a numpy array."""
    return np.array(host, dtype=host.dtype)


@step("mxnet", threads=True)
def scratch(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The chapter's own: a linear model by np.dot, autograd, and the update from scratch."""
    w, b = tensor(weights), tensor(bias)
    for p in (w, b):
        p.attach_grad()

    def load() -> None:
        w[:], b[:] = tensor(weights), tensor(bias)

    def one(x: Array, y: Array, rate: float) -> None:
        with autograd.record():
            loss = objective_loss(objective, np.dot(tensor(x), w) + b, tensor(y)) / len(x)
        loss.backward()
        for p in (w, b):
            p[:] = p - rate * p.grad

    def store() -> None:
        weights[...], bias[...] = w.asnumpy(), b.asnumpy()

    return copied(x, y, load, one, store)


@step("mxnet-concise", threads=True, dtypes=("float32",))  # whatever the weights, the trainer's rate is a float32
def concise(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """gluon.nn.Dense and gluon.Trainer."""
    inputs, outputs = weights.shape
    net = gluon.nn.Dense(outputs, in_units=inputs, dtype=weights.dtype)
    net.initialize(init="zeros")  # its own are float32
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.0})

    def load() -> None:
        net.weight.set_data(tensor(weights.T))
        net.bias.set_data(tensor(bias))

    def one(x: Array, y: Array, rate: float) -> None:
        trainer.set_learning_rate(rate)
        with autograd.record():
            loss = objective_loss(objective, net(tensor(x)), tensor(y))
        loss.backward()
        trainer.step(len(x))

    def store() -> None:
        weights[...], bias[...] = net.weight.data().asnumpy().T, net.bias.data().asnumpy()

    return copied(x, y, load, one, store)
