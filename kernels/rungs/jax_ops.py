"""The textbook's rungs in JAX: `jax` runs them operation by operation, `jax-jit` compiles each as a whole.

Arrays cannot be written, so every assignment is ``out.at[...].set(...)``, a new array: a copy of the whole when operations run
one by one, none when XLA sees them all. Indices are arrays too: a Python number would be compiled anew for each value. A
call returns before its result is complete; ``block_until_ready`` waits for it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from numpy.typing import NDArray

from kernels.arrays import Library, register
from kernels.registry import kernel

jax.config.update("jax_enable_x64", True)  # without it float64 becomes float32

Matrix = Any


class Jax(Library):
    """Arrays that are never written, and have their elements some time after the call."""

    expected, packages = "a jax array", ("jaxlib", "jax")
    wait = staticmethod(jax.block_until_ready)

    def writable(self, array: Any) -> bool:
        """None is."""
        return False

    def empty(self, shape: tuple[int, int], like: Any) -> Any:
        """Zeros."""
        return jnp.zeros(shape, like.dtype)

    def place(self, host: NDArray[Any]) -> Any:
        """A copy."""
        return jnp.array(host, copy=True)

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """A new array."""
        return self.place(host)


register("jax", Jax())
rung = partial(kernel, "jax", arrays="jax")
jitted = partial(kernel, "jax-jit", arrays="jax", compiles=True)


@rung("elementwise")
def elementwise(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """M p dot products of length n, a call each."""
    columns = list(jnp.arange(b.shape[1]))
    for i in jnp.arange(a.shape[0]):
        for j in columns:
            out = out.at[i, j].set(jnp.dot(a[i, :], b[:, j]))
    return out


@rung("rowwise", threads=True)
def rowwise(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """M vector-matrix products, which read b m times in all."""
    for i in jnp.arange(a.shape[0]):
        out = out.at[i, :].set(a[i, :] @ b)
    return out


@rung("columnwise", threads=True)
def columnwise(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """P matrix-vector products, which read a p times in all."""
    for j in jnp.arange(b.shape[1]):
        out = out.at[:, j].set(a @ b[:, j])
    return out


@rung("block", threads=True, tile={"width": 64})
def block(a: Matrix, b: Matrix, out: Matrix, width: int) -> Matrix:
    """P / width products with a slab of b's columns."""
    for j in range(0, b.shape[1], width):
        out = out.at[:, j : j + width].set(a @ b[:, j : j + width])
    return out


@rung("full", threads=True, peer=True)
def full(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """One call of the library's product."""
    return a @ b


def compiled_loop(count: int, body: Any, out: Matrix) -> Matrix:
    """`out` after `count` turns; a body is traced even for none, where it finds no element to look at."""
    return lax.fori_loop(0, count, body, out) if out.size else out


@jitted("elementwise")
@jax.jit
def compiled_elementwise(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """The same in a compiled loop."""

    def element(t: Any, out: Matrix) -> Matrix:
        i, j = jnp.divmod(t, b.shape[1])
        return out.at[i, j].set(jnp.dot(a[i, :], b[:, j]))

    return compiled_loop(a.shape[0] * b.shape[1], element, out)


@jitted("rowwise", threads=True)
@jax.jit
def compiled_rowwise(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """The same in a compiled loop."""
    return compiled_loop(a.shape[0], lambda i, out: out.at[i, :].set(a[i, :] @ b), out)


@jitted("columnwise", threads=True)
@jax.jit
def compiled_columnwise(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """The same in a compiled loop."""
    return compiled_loop(b.shape[1], lambda j, out: out.at[:, j].set(a @ b[:, j]), out)


@jitted("block", threads=True, tile={"width": 64})
@partial(jax.jit, static_argnums=3)
def compiled_block(a: Matrix, b: Matrix, out: Matrix, width: int) -> Matrix:
    """The same, compiled as one."""
    return block(a, b, out, width)


jitted("full", threads=True, peer=True)(jax.jit(full))
