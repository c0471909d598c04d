"""Steps in JAX: jit of a step, optax's optimiser, and jit of a whole epoch by lax.scan, which pays the framework's cost once."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from minisgd.steps import Array, Epoch, copied, step

jax.config.update("jax_enable_x64", True)  # without it float64 becomes float32

Params = Any


def loss(objective: str, params: Params, x: Any, y: Any) -> Any:
    """Mean over the examples, summed over the outputs; the squared error with its half."""
    z = x @ params[0] + params[1]
    each = 0.5 * jnp.square(z - y) if objective == "squared" else jnp.logaddexp(z, 0) - z * y
    return each.sum() / len(x)


@partial(jax.jit, static_argnums=0)
def one_step(objective: str, params: Params, x: Any, y: Any, rate: Any) -> Params:
    """The parameters after a step."""
    gradient = jax.grad(loss, argnums=1)(objective, params, x, y)
    return jax.tree.map(lambda p, g: p - rate.astype(p.dtype) * g, params, gradient)


@step("jax", threads=True, compiles=True)
def scratch(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """A linear model, jax.grad, and the update from scratch; jit of one step."""
    params: Params = None

    def load() -> None:
        nonlocal params
        params = jnp.array(weights), jnp.array(bias)

    def one(x: Array, y: Array, rate: float) -> None:
        nonlocal params
        params = one_step(objective, params, x, y, np.float64(rate))

    def store() -> None:
        weights[...], bias[...] = params

    return copied(x, y, load, one, store)


optimiser = optax.inject_hyperparams(optax.sgd)(learning_rate=0.0)


@partial(jax.jit, static_argnums=0)
def optax_step(objective: str, params: Params, state: Any, x: Any, y: Any) -> tuple[Params, Any]:
    """The parameters and the optimiser's state after a step."""
    updates, state = optimiser.update(jax.grad(loss, argnums=1)(objective, params, x, y), state)
    return optax.apply_updates(params, updates), state


@step("jax-concise", threads=True, compiles=True)
def concise(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """optax.sgd; jit of one step."""
    params: Params = None
    state: Any = None

    def load() -> None:
        nonlocal params, state
        params = jnp.array(weights), jnp.array(bias)
        state = optimiser.init(params)

    def one(x: Array, y: Array, rate: float) -> None:
        nonlocal params, state
        state.hyperparams["learning_rate"] = jnp.asarray(rate, weights.dtype)
        params, state = optax_step(objective, params, state, x, y)

    def store() -> None:
        weights[...], bias[...] = params

    return copied(x, y, load, one, store)


@partial(jax.jit, static_argnums=0)
def scanned(objective: str, params: Params, x: Any, y: Any, rate: Any) -> Params:
    """The parameters after a step for each of x (steps, batch, d) and y (steps, batch, k)."""
    return jax.lax.scan(lambda params, batch: (one_step(objective, params, *batch, rate), None), params, (x, y))[0]


@step("jax-scan", threads=True, compiles=True)
def scan(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """Jit of a whole epoch by lax.scan; a short batch at its end is a step of its own."""

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        xs, ys, number = x[order], y[order], np.float64(rate)
        whole = len(order) - len(order) % batch_size
        batches = (each[:whole].reshape(-1, batch_size, each.shape[1]) for each in (xs, ys))
        params = scanned(objective, (jnp.array(weights), jnp.array(bias)), *batches, number)
        if whole < len(order):
            params = one_step(objective, params, xs[whole:], ys[whole:], number)
        weights[...], bias[...] = params

    return epoch
