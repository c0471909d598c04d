"""The gradient of a fused step on its own, for whoever has something to do between gradient and update.

`minisgd.steps.ranks` adds the gradients of other processes there. Few weights take the loop of `minisgd.steps.narrow`, eight
examples at a time, and many that of `minisgd.steps.wide`: both read each example once. The update is that of
`minisgd.steps.fused`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kernels.arrays import aligned_zeros
from kernels.jit.simd import join, keep, load, multiply, multiply_add, splat, store
from minisgd.steps import check, fused
from minisgd.steps.compiled import Array, compiled, require_visits
from minisgd.steps.narrow import (
    BIAS,
    EXAMPLES,
    LANES,
    PAIR,
    ROW,
    TARGET,
    VISITS,
    WEIGHTS,
    add_eight,
    eight,
    gradient,
    last_eight,
    logistic_residuals,
    scores,
)

Gradient = Callable[[NDArray[np.int64], float], Array]

update = fused.update


def prepare(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Gradient:
    """Lay out the data, and compile.

    Parameters
    ----------
    x : (n, d) array
        C-contiguous, as all others, and of their dtype.
    y : (n, k) array
    weights : (d, k) array
        Read anew at each call, as is the bias.
    bias : (k,) array
    objective : {"squared", "logistic"}

    Returns
    -------
    callable
        ``gradient(rows, scale)``: the sum over the examples `rows`, an int64 array of any length, of the gradients of their
        losses, times `scale`. Sums (d + 1, k), the bias's in the last row; the same memory each time, overwritten.
        ``update(weights, bias, sums)`` subtracts them, and clears them.

    Raises
    ------
    ValueError
        If an argument does not fit, see `minisgd.steps.check`.
    IndexError
        From ``gradient``, if a row is out of range.
    """
    check(x, y, weights, bias, objective)
    logistic, number, few = objective == "logistic", x.dtype.type, takes_few(weights)
    examples, sums = laid_out(x, y) if few else x, aligned_zeros((len(weights) + 1, len(bias)), x.dtype)

    def of(rows: NDArray[np.int64], scale: float) -> Array:
        if few:
            sum_few(examples, weights, bias, rows, number(scale), logistic, sums)
        else:
            sum_many(x, y, weights, bias, rows, number(scale), logistic, sums)
        return sums

    update(weights, bias, of(np.empty(0, np.int64), 0.0))  # compiles, and leaves the weights alone
    return of


def takes_few(weights: Array) -> bool:
    """Whether weights (d, k) are few enough for `sum_few`."""
    return weights.shape[1] == 1 and len(weights) <= WEIGHTS


def laid_out(x: Array, y: Array) -> Array:
    """Examples as `sum_few` takes them: rows of eight that do not straddle cache lines."""
    examples = aligned_zeros((len(x), ROW), x.dtype)
    examples[:, : x.shape[1]], examples[:, BIAS], examples[:, TARGET] = x, 1, y[:, 0]
    return examples


@compiled()
def sum_few(examples: Array, weights: Array, bias: Array, rows: Array, scale: float, logistic: bool, sums: Array) -> None:
    """Set the sums from examples in rows of eight: features, the bias's 1 and the target, as `narrow` lays them out."""
    require_visits(rows, len(examples))
    one, count, d = examples.dtype.type(1), len(rows), len(weights)
    state = np.zeros(PAIR, examples.dtype)
    state[:d], state[BIAS], state[TARGET] = weights[:, 0], bias[0], -1
    row, learnt = load(state, 0, ROW), keep(splat(one, ROW), LANES, TARGET)
    targets = multiply_add(-one, learnt, splat(one, ROW))
    w, targets, nothing = join(row, row), join(targets, targets), splat(one - one, PAIR)
    total = (nothing, nothing, nothing, nothing)
    for t in range(0, count, EXAMPLES):
        some = eight(examples, rows, t) if t + EXAMPLES <= count else last_eight(examples, rows, t)
        r = scores(w, some)
        if logistic:
            r = logistic_residuals(r, scores(targets, some), one)
        total = add_eight(total, some, keep(r, VISITS, count - t))
    store(state, 0, multiply(scale, gradient(total)))
    sums[:d, 0], sums[d, 0] = state[:d], state[BIAS]


@compiled()
def sum_many(x: Array, y: Array, weights: Array, bias: Array, rows: Array, scale: float, logistic: bool, sums: Array) -> None:
    """Set the sums from the examples as they are."""
    require_visits(rows, len(x))
    sums[:] = 0
    fused.add_rows(x, y, weights, bias, rows, 0, len(rows), len(rows), scale, logistic, sums, np.empty(sums.shape[1], x.dtype))
