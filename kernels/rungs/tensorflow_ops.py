"""The textbook's rungs in TensorFlow: `tensorflow` runs them operation by operation, `tf-function` as a graph each.

What is written is a ``tf.Variable``, by ``assign`` to a slice of it, as in the textbook. The framework's own cost an operation
(tens of microseconds, three operations an element) is what the lower rungs measure. On a CPU a call waits for its result.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from kernels.arrays import Library, register
from kernels.registry import kernel

Matrix = Any


class TensorFlow(Library):
    """Variables, which own their memory."""

    expected, packages = "a tf.Variable", ("tensorflow",)

    def dtype(self, array: Any) -> str:
        """As numpy calls it."""
        return str(array.dtype.name)

    def writable(self, array: Any) -> bool:
        """A tensor is not."""
        return isinstance(array, tf.Variable)

    def place(self, host: NDArray[Any]) -> Any:
        """A copy."""
        return tf.Variable(host)

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """In place."""
        array.assign(host)
        return array

    def fetch(self, array: Any) -> NDArray[Any]:
        """Its elements."""
        fetched: NDArray[Any] = array.numpy()
        return fetched


register("tensorflow", TensorFlow())
rung = partial(kernel, "tensorflow", arrays="tensorflow")
graph = partial(kernel, "tf-function", arrays="tensorflow", compiles=True)


@rung("elementwise")
def elementwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """M p dot products of length n, a call each."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j].assign(tf.tensordot(a[i, :], b[:, j], axes=1))


@rung("rowwise", threads=True)
def rowwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """M vector-matrix products, which read b m times in all."""
    for i in range(out.shape[0]):
        out[i, :].assign(tf.linalg.matvec(b, a[i, :], transpose_a=True))


@rung("columnwise", threads=True)
def columnwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """P matrix-vector products, which read a p times in all."""
    for j in range(out.shape[1]):
        out[:, j].assign(tf.linalg.matvec(a, b[:, j]))


@rung("block", threads=True, tile={"width": 64})
def block(a: Matrix, b: Matrix, out: Matrix, width: int) -> None:
    """P / width products with a slab of b's columns."""
    for j in range(0, out.shape[1], width):
        out[:, j : j + width].assign(tf.matmul(a, b[:, j : j + width]))


@rung("full", threads=True, peer=True)
def full(a: Matrix, b: Matrix, out: Matrix) -> None:
    """One call of the library's product."""
    out.assign(tf.matmul(a, b))


@graph("elementwise")
@tf.function
def graph_elementwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """The same in two loops of the graph."""
    for i in tf.range(out.shape[0]):
        for j in tf.range(out.shape[1]):
            out[i, j].assign(tf.tensordot(a[i, :], b[:, j], axes=1))


@graph("rowwise", threads=True)
@tf.function
def graph_rowwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """The same in a loop of the graph."""
    for i in tf.range(out.shape[0]):
        out[i, :].assign(tf.linalg.matvec(b, a[i, :], transpose_a=True))


@graph("columnwise", threads=True)
@tf.function
def graph_columnwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """The same in a loop of the graph."""
    for j in tf.range(out.shape[1]):
        out[:, j].assign(tf.linalg.matvec(a, b[:, j]))


graph("block", threads=True, tile={"width": 64})(tf.function(block))
graph("full", threads=True, peer=True)(tf.function(full))
