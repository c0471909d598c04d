"""Epochs by a step, on arrays laid out as asked, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minisgd.accuracy import reference
from minisgd.data import Problem, linear, logistic
from minisgd.steps import Prepare

Array = NDArray[Any]
Lay = Callable[[Array, bool], Array]
"""``lay(array, writable)``: the array where the step is to find it."""

EPOCHS = 2


def problem(objective: str, shape: tuple[int, int, int], dtype: str, seed: int) -> Problem:
    """Generated data of n examples, d features and k outputs."""
    return (linear if objective == "squared" else logistic)(*shape, seed=seed).astype(dtype)


def rate(x: Array) -> float:
    """A rate at which no step of any batch size can diverge."""
    return 1.0 / (1 + float(np.einsum("nd,nd->n", x, x).max()))


def follow(
    prepare: Prepare, given: Problem, batch_size: int, seed: int, lay: Lay = lambda array, writable: array
) -> tuple[Array, float, float]:
    """Some epochs from drawn weights, each in an order of its own, by a step and by the reference.

    Returns
    -------
    (d + 1, k) array
        The weights, and the bias below them.
    float
        The Frobenius norm of what they are off by.
    float
        What that may be.

    Raises
    ------
    ValueError
        If the step changed the examples, the targets or the order.
    """
    random, dtype = np.random.default_rng(seed), given.x.dtype
    d, k = given.x.shape[1], given.y.shape[1]
    expected, expected_bias = (np.asarray(random.standard_normal(shape)).astype(dtype) for shape in ((d, k), (k,)))
    weights, bias = (lay(each.copy(), True) for each in (expected, expected_bias))
    x, y = lay(given.x.copy(), False), lay(given.y.copy(), False)
    epoch, allowed, speed = prepare(x, y, weights, bias, given.objective), 0.0, rate(given.x)
    for _ in range(EPOCHS):
        order = random.permutation(len(given.x))
        laid = lay(order.copy(), False)
        epoch(laid, batch_size, speed)
        arguments = (given.objective, order, batch_size, speed, str(dtype))
        expected, expected_bias, more = reference(given.x, given.y, expected, expected_bias, *arguments)
        allowed += more
        for name, before, after in (("x", given.x, x), ("y", given.y, y), ("order", order, laid)):
            if not np.array_equal(before, after):
                raise ValueError(f"changed {name}")
    found = np.vstack([weights, bias])
    return found, float(np.linalg.norm(found - np.vstack([expected, expected_bias]))), allowed


def wrong(
    prepare: Prepare, given: Problem, batch_size: int, seed: int = 0, lay: Lay = lambda array, writable: array
) -> str | None:
    """What is wrong with some epochs; None if nothing is."""
    try:
        _, distance, allowed = follow(prepare, given, batch_size, seed, lay)
    except ValueError as error:
        found = str(error)
    else:
        if distance <= allowed:
            return None
        found = f"{distance:.1e} away from the float64 trajectory, beyond its bound of {allowed:.1e}"
    (n, d), k = given.x.shape, given.y.shape[1]
    return f"{found}, at (n, d, k) = {(n, d, k)} in batches of {batch_size}, {given.objective}"
