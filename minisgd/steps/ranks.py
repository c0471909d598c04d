"""An epoch of one of several processes in one compiled call, the all-reduce included.

Of each batch B a rank takes a share S, examples that no other rank takes; shares differ by one example at most, and some are
empty if the batch has fewer examples than there are ranks. What the ranks add up is one of two:

- Gradients, after each batch. They are scaled by rate / |B|, not by the size of the share, so that no example weighs more for the
  share that it is in:

    W <- W - sum over ranks of (rate / |B|) X_S^T r_S

  The trajectory is that of one process with the same batch, up to rounding; a last batch that is short is no exception.
- Weights, after so many batches and after the last of the call: local SGD (Stich, "Local SGD Converges Fast and Communicates
  Little", ICLR 2019). Each rank steps on its shares alone, as if they were the batches, and the weights are then averaged.
  That is another trajectory, with less to wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.arrays import aligned_zeros
from kernels.jit.pointers import call_int
from minisgd.steps import Epoch, check, fused
from minisgd.steps.compiled import Array, compiled
from minisgd.steps.gradients import laid_out, sum_few, sum_many, takes_few

WORDS = 9
"""Of an all-reduce: see `prepare`."""

BEGUN, OVER = 7, 8


def prepare(
    problem: tuple[Array, Array, str], weights: Array, bias: Array, ranks: tuple[int, int], every: int,
    reduction: Callable[[Array], tuple[Array, Callable[[int], BaseException], Any]],
) -> Epoch:  # fmt: skip
    """Lay out the data, and compile.

    Parameters
    ----------
    problem : tuple
        x (n, d), y (n, k) and the objective, as for `minisgd.steps`.
    weights : (d, k) array
    bias : (k,) array
    ranks : (int, int)
        This one, and how many there are.
    every : int
        Batches from one average of the weights to the next; 0 to add up gradients.
    reduction : callable
        Given the sums (d + 1, k) to be added up in place over the ranks: a `minisgd.distributed.transport.Reduction`.

    Returns
    -------
    callable
        ``epoch(order, batch_size, rate)``, to be called by all ranks; it raises what the reduction says if the all-reduce fails.
    """
    x, y, objective = problem
    check(x, y, weights, bias, objective)
    few, logistic, number = takes_few(weights), objective == "logistic", x.dtype.type
    sums = aligned_zeros((len(weights) + 1, len(bias)), x.dtype)
    words, failure, kept = reduction(sums)
    data, learnt = (laid_out(x, y) if few else x, y, few, logistic), (weights, bias, sums)

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float, _: Any = kept) -> None:  # an address keeps nothing alive
        status = run(data, learnt, order, batch_size, number(rate), (*ranks, every), words)
        if status:
            raise failure(status)

    return epoch


def warm(problem: tuple[Array, Array, str], weights: Array, bias: Array) -> None:
    """Compile for such arrays, and leave them alone: while a rank compiles, others would wait."""
    nothing = np.zeros(WORDS, np.int64), RuntimeError, None
    prepare(problem, weights, bias, (0, 1), 0, lambda sums: nothing)(np.empty(0, np.int64), 1, 0.0)


def share(rows: NDArray[np.int64], rank: int, ranks: int) -> NDArray[np.int64]:
    """A rank's part of a batch.

    Examples
    --------
    >>> [share(np.arange(5), rank, 3).tolist() for rank in range(3)], share(np.arange(1), 0, 2).tolist()
    ([[0], [1, 2], [3, 4]], [])
    """
    return rows[len(rows) * rank // ranks : len(rows) * (rank + 1) // ranks]


share_of = compiled()(share)


@compiled(nogil=True)
def run(data: Any, learnt: Any, order: Array, batch_size: int, rate: float, ranks: Any, words: Array) -> int:
    """Step on all batches; the status of the first all-reduce that fails, or 0."""
    (x, y, few, logistic), (weights, bias, sums), (rank, count, every) = data, learnt, ranks
    steps = 0
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        mine = share_of(batch, rank, count)
        scale = rate / x.dtype.type(max(1, len(mine) if every else len(batch)))
        if few:
            sum_few(x, weights, bias, mine, scale, logistic, sums)
        else:
            sum_many(x, y, weights, bias, mine, scale, logistic, sums)
        status, steps = 0 if every else add_up(words), steps + 1
        fused.update(weights, bias, sums)
        if every and (steps % every == 0 or start + batch_size >= len(order)):
            status = average(weights, bias, sums, count, words)
        if status:
            return status
    return 0


@compiled()
def add_up(words: Array) -> int:
    """Sum over the ranks what the words tell the address of, and count the call."""
    words[BEGUN] += 1
    status = call_int(words[0], words[1], words[2], words[3], words[4], words[5], words[6])
    words[OVER] += 1
    return status


@compiled()
def average(weights: Array, bias: Array, sums: Array, count: int, words: Array) -> int:
    """Of all ranks' weights and biases, in all of them; the status of the all-reduce."""
    sums[:-1], sums[-1] = weights, bias
    status = add_up(words)
    sums /= sums.dtype.type(count)
    weights[:], bias[:] = sums[:-1], sums[-1]
    return status
