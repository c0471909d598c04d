"""Minibatch SGD by several processes, on one machine or many, started like any job of PyTorch or of MPI.

    torchrun --nproc-per-node 2 -m minisgd.distributed --batch-size 97
    mpirun -n 2 --bind-to none python -m minisgd.distributed --batch-size 97

Every rank holds the data and draws the same visiting orders; `minisgd.steps.ranks` says what each does, and what they add up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from minisgd.common.cli import UsageError
from minisgd.distributed.transport import RankFailed, Transport

EXAMPLE = "torchrun --nproc-per-node 2 -m minisgd.distributed --batch-size 97"

OF_TORCHRUN = "RANK"

OF_MPIRUN = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
"""Environment variables that Open MPI, MPICH and its descendants, and SLURM set for each process."""

__all__ = ["EXAMPLE", "RankFailed", "Transport", "joined", "require_rank"]


@contextmanager
def joined(timeout: float) -> Iterator[Transport]:
    """Be one of the ranks that torchrun or mpirun has started.

    Parameters
    ----------
    timeout : float
        Seconds that a rank waits for the others, half of them to find out which is missing.

    Raises
    ------
    UsageError
        If this process was started by neither, or mpi4py or an MPI is not installed.
    RankFailed
        If not all have come within the timeout.
    """
    transport = join(timeout)
    yield transport
    transport.close()


def require_rank() -> None:
    """Refuse to be started by something else than torchrun or mpirun; a UsageError."""
    if OF_TORCHRUN not in os.environ and not any(each in os.environ for each in OF_MPIRUN):
        raise UsageError(f"no rank: expected to be started by torchrun or mpirun, as in: {EXAMPLE}")


def join(timeout: float) -> Transport:
    """Meet the other ranks, over what has started them."""
    require_rank()
    if OF_TORCHRUN in os.environ:
        from minisgd.distributed.gloo import Gloo

        return Gloo.join(timeout)
    try:
        from minisgd.distributed.mpi import Mpi
    except (ImportError, RuntimeError) as error:  # mpi4py, or its library
        raise UsageError(f"{str(error).splitlines()[0]}; the ranks that mpirun starts need: pip install 'minisgd[mpi]'") from None
    return Mpi.join(timeout)
