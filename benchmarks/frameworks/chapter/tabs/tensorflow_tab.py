"""The TensorFlow tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.frameworks.chapter import SIZE, WIDTH, Training


def products(rows: Iterable[int]) -> Iterator[Callable[[], None]]:
    """A[i, j], A[:, j], A, A[:, j:j+64], all by tf.tensordot, assigned to a variable."""
    a = tf.Variable(tf.zeros((SIZE, SIZE)))
    b, c = (tf.Variable(tf.random.normal([SIZE, SIZE], 0, 1)) for _ in range(2))

    def elementwise() -> None:
        for i in rows:
            for j in range(SIZE):
                a[i, j].assign(tf.tensordot(b[i, :], c[:, j], axes=1))

    def columnwise() -> None:
        for j in range(SIZE):
            a[:, j].assign(tf.tensordot(b, c[:, j], axes=1))

    def full() -> None:
        a.assign(tf.tensordot(b, c, axes=1))

    def block() -> None:
        for j in range(0, SIZE, WIDTH):
            a[:, j : j + WIDTH].assign(tf.tensordot(b, c[:, j : j + WIDTH], axes=1))

    yield from (elementwise, columnwise, full, block)


def loaded(x: NDArray[Any], y: NDArray[Any], batch_size: int) -> Any:
    """A shuffling dataset, through a buffer of 1,000."""
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(buffer_size=1000).batch(batch_size)


def linear(x: NDArray[Any], y: NDArray[Any], batch_size: int, rate: float) -> Training:
    """Weights of its own, a tape, and the update from scratch."""
    w = tf.Variable(tf.random.normal(shape=(x.shape[1], 1), mean=0, stddev=0.01))
    b = tf.Variable(tf.zeros(1))
    batches = loaded(x, y, batch_size)

    def each(some: Any, targets: Any) -> Any:
        z = tf.matmul(some, w) + b
        return (z - tf.reshape(targets, z.shape)) ** 2 / 2

    def step(some: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(each(some, targets))
        for p, gradient in zip((w, b), tape.gradient(loss, [w, b]), strict=True):
            p.assign_sub(rate * gradient)

    return Training(batches, step, lambda: float(tf.reduce_mean(each(x, y))))


def concise(x: NDArray[Any], y: NDArray[Any], batch_size: int, rate: float) -> Training:
    """keras.layers.Dense, MeanSquaredError and keras.optimizers.SGD; the loss has no factor 1/2."""
    net = tf.keras.Sequential()
    net.add(tf.keras.layers.Dense(1, kernel_initializer=tf.random_normal_initializer(stddev=0.01)))
    optimiser, batches = tf.keras.optimizers.SGD(rate / 2), loaded(x, y, batch_size)
    criterion = tf.keras.losses.MeanSquaredError()

    def step(some: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            loss = criterion(tf.reshape(targets, (-1, 1)), net(some))
        optimiser.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True))

    return Training(batches, step, lambda: float(criterion(y.reshape(-1, 1), net(x))) / 2)
