"""Steps in TensorFlow: the chapter's from scratch, Keras's optimiser, a step as a graph, and a whole epoch as one."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from minisgd.steps import Array, Epoch, copied, step

Tensor = Any


def objective_loss(objective: str, z: Tensor, y: Tensor) -> Tensor:
    """Mean over the examples, summed over the outputs; the squared error with its half."""
    each = 0.5 * tf.square(z - y) if objective == "squared" else tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)
    return tf.reduce_sum(each) / tf.cast(tf.shape(z)[0], z.dtype)


def one_step(objective: str, w: Tensor, b: Tensor, x: Tensor, y: Tensor, rate: Tensor) -> None:
    """Forward, gradient by a tape, and the chapter's update."""
    with tf.GradientTape() as tape:
        loss = objective_loss(objective, tf.matmul(x, w) + b, y)
    for p, gradient in zip((w, b), tape.gradient(loss, [w, b]), strict=True):
        p.assign_sub(rate * gradient)


def from_scratch(x: Array, y: Array, weights: Array, bias: Array, objective: str, function: Any) -> Epoch:
    """An epoch of steps ``function(objective, w, b, x_batch, y_batch, rate)`` on variables."""
    w, b = tf.Variable(weights), tf.Variable(bias)

    def load() -> None:
        w.assign(weights)
        b.assign(bias)

    def one(x: Array, y: Array, rate: float) -> None:
        function(objective, w, b, tf.constant(x), tf.constant(y), tf.constant(rate, w.dtype))

    def store() -> None:
        weights[...], bias[...] = w.numpy(), b.numpy()

    return copied(x, y, load, one, store)


@step("tensorflow", threads=True)
def scratch(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The chapter's own: a linear model by tf.matmul, a gradient tape, and the update from scratch."""
    return from_scratch(x, y, weights, bias, objective, one_step)


@step("tensorflow-function", threads=True, compiles=True)
def graph(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """The same, a graph a step."""
    return from_scratch(x, y, weights, bias, objective, tf.function(one_step, reduce_retracing=True))


@step("tensorflow-concise", threads=True, dtypes=("float32",))  # whatever the weights, the optimiser's rate is a float32
def concise(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """keras.layers.Dense and keras.optimizers.SGD."""
    inputs, outputs = weights.shape
    net = keras.Sequential(
        [keras.Input((inputs,), dtype=weights.dtype.name), keras.layers.Dense(outputs, dtype=weights.dtype.name)]
    )
    optimiser = keras.optimizers.SGD(0.0)

    def load() -> None:
        net.set_weights([weights, bias])

    def one(x: Array, y: Array, rate: float) -> None:
        optimiser.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            loss = objective_loss(objective, net(tf.constant(x)), tf.constant(y))
        optimiser.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)

    def store() -> None:
        weights[...], bias[...] = net.get_weights()

    return copied(x, y, load, one, store)


@step("tensorflow-epoch", threads=True, compiles=True)
def whole(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """A graph of the whole epoch, which pays the framework's cost an operation in its own runtime."""
    w, b = tf.Variable(weights), tf.Variable(bias)

    @tf.function(reduce_retracing=True)
    def steps(x: Tensor, y: Tensor, batch_size: Tensor, rate: Tensor) -> None:
        for start in tf.range(0, tf.shape(x)[0], batch_size):
            one_step(objective, w, b, x[start : start + batch_size], y[start : start + batch_size], rate)

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        w.assign(weights)
        b.assign(bias)
        steps(tf.constant(x[order]), tf.constant(y[order]), tf.constant(batch_size), tf.constant(rate, w.dtype))
        weights[...], bias[...] = w.numpy(), b.numpy()

    return epoch
