"""Seconds an epoch, as experiments time it: whole epochs on one thread, no evaluation between them, enough of them for the clock.

The chapter's batches hold too little work for two threads; on a busy machine the wait for the second would be most of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from minisgd.data import Problem
from minisgd.train import Settings, train

ENOUGH_S = 0.05
"""Many of the turns in which a busy system shares out a core: long epochs and short ones bear their part of it alike."""

ROUNDS = 9
"""Of everything that is compared, in turn; the interval of nine leaves out the least and the most."""

RATE = 2.0**-12
"""Nothing diverges at it; what an epoch takes does not depend on it."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold numpy, torch and numba at one thread each.

    The harness has its own of this: the commits that it measures bring each their minisgd, and some have none.
    """
    import numba
    import threadpoolctl
    import torch

    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    try:
        with threadpoolctl.threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def epoch_seconds(problem: Problem, step: str, batch_size: int, seed: int = 0) -> float:
    """Mean over as many epochs as take `ENOUGH_S`, shuffling included, compiling not."""
    with one_thread():
        first = train(problem, Settings(step, batch_size, RATE, epochs=1, seed=seed)).seconds_an_epoch
        epochs = ceil(ENOUGH_S / first)
        if epochs == 1:
            return first
        settings = Settings(step, batch_size, RATE, epochs, seed=seed)
        return train(problem, settings, evaluate_every=epochs * len(problem.x)).seconds_an_epoch
