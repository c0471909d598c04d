"""A model of an epoch on R ranks, fitted to what was measured, and what follows for more ranks on other networks.

    t = flops / (R rate) + alpha messages + beta bytes

`rate` is that of one rank and a shape; `alpha`, seconds a message, and `beta`, seconds a byte, are a transport's. A step has one
all-reduce of the S bytes of all gradients. Gloo's goes round a ring, in 2 (R - 1) messages of S / R bytes. MPI's doubles the
distance, in log2 R messages of S bytes, if they are short; long ones are halved first, in 2 log2 R messages of the ring's bytes
in all.

R ranks pay from the batch at which a step takes as long as on one: |B| 4dk / rate (1 - 1/R) = alpha messages + beta bytes.

Sources: gloo/allreduce.cc; Thakur, Rabenseifner and Gropp, "Optimization of collective
communication operations in MPICH", IJHPCA 19 (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil, log2
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

from benchmarks.harness.records import Record, Run
from benchmarks.scaling import compared

LONG = 10_000
"""Bytes of an all-reduce from which MPI halves first: the border in Open MPI's coll_tuned_decision_fixed.c."""

RANKS = (2, 8, 32, 128, 1024, 4096)
"""That are reckoned with."""


class Network(NamedTuple):
    """What is put in: bytes a second, and seconds that a message takes on its way beside what the transport's software does."""

    name: str
    bytes_s: float
    latency_s: float


NETWORKS = (Network("10 Gbit/s", 10e9 / 8, 10e-6), Network("100 Gbit/s", 100e9 / 8, 2e-6))
"""Ethernet through a switch, and InfiniBand; nothing of them was measured."""


class Prediction(NamedTuple):
    """An epoch that was measured, and what the model says of it when it is fitted to the others alone; seconds."""

    title: str
    measured_s: float
    predicted_s: float

    @property
    def off(self) -> float:
        """By how much it is wrong, in proportion."""
        return self.predicted_s / self.measured_s - 1


@dataclass(frozen=True)
class Fit:
    """The model of one transport.

    Parameters
    ----------
    transport : str
    alpha_s, beta_s : float
        Seconds a message and a byte, on this machine.
    rates : dict of str to float
        Flops a second of one rank, by shape: d x k.
    held_out : list of Prediction
        One for each epoch of several ranks.
    ranks : int
        The most that were measured.
    itemsize : int
    """

    transport: str
    alpha_s: float
    beta_s: float
    rates: dict[str, float]
    held_out: list[Prediction]
    ranks: int
    itemsize: int

    def all_reduce_s(self, shape: str, ranks: int, network: Network | None = None) -> float:
        """Seconds that so many ranks take to sum the gradients of a shape, on a network; on this machine, if that is left out."""
        d, k = map(int, shape.split("x"))
        alpha, beta = self.alpha_s, self.beta_s
        if network:  # what the software costs a message is added to; a byte takes the slower of the two
            alpha, beta = alpha + network.latency_s, max(beta, 1 / network.bytes_s)
        messages, moved = all_reduce(self.transport, ranks, (d + 1) * k * self.itemsize)
        return alpha * messages + beta * moved

    def example_s(self, shape: str) -> float:
        """Seconds that one rank takes for an example, the update left out."""
        d, k = map(int, shape.split("x"))
        return 4 * d * k / self.rates[shape]

    def pays_from(self, shape: str, ranks: int, network: Network | None = None) -> float:
        """The batch from which so many ranks are faster than one."""
        return self.all_reduce_s(shape, ranks, network) / (self.example_s(shape) * (1 - 1 / ranks))

    def kept(self) -> dict[str, Any]:
        """For programs, with the batches from which ranks pay."""
        places = [None, *NETWORKS]
        paying = [
            {
                "shape": shape,
                "network": place.name if place else None,
                "ranks": ranks,
                "batch": self.pays_from(shape, ranks, place),
            }
            for shape in self.rates
            for place in places
            for ranks in RANKS
        ]
        predicted = [each._asdict() for each in self.held_out]
        return asdict(self) | {"held_out": predicted, "pays_from": paying, "networks": [each._asdict() for each in NETWORKS]}


def all_reduce(transport: str, ranks: int, size: int) -> tuple[float, float]:
    """Messages and bytes that a rank sends one after the other to sum `size` bytes over the ranks.

    Examples
    --------
    >>> all_reduce("gloo", 8, 24), all_reduce("mpi", 8, 24), all_reduce("mpi", 8, 80_000), all_reduce("mpi", 1, 24)
    ((14, 42.0), (3, 72), (6, 140000.0), (0, 0))
    """
    rounds, ring = ceil(log2(ranks)), 2 * (ranks - 1) / ranks * size
    if transport == "gloo":
        return 2 * (ranks - 1), ring
    return (2 * rounds, ring) if size >= LONG and ranks > 2 else (rounds, rounds * size)


def fit(run: Run) -> list[Fit]:
    """A model of each transport that the run's epochs were measured on; none where the machine had no two cores to give."""
    epochs = [each for each in run.records if each.workload == "sgd" and each.gflops]
    transports = dict.fromkeys(each.ranks.transport for each in epochs if each.ranks)
    return [_fit(transport, epochs) for transport in transports if not compared.starved(run)]


def _fit(transport: str, epochs: Sequence[Record]) -> Fit:
    mine = [each for each in epochs if each.ranks is None or each.ranks.transport == transport]
    shapes = list(dict.fromkeys(map(shape_of, mine)))
    rows = np.array([_costs(each, transport, shapes) for each in mine])
    took = np.array([each.median_s or 0.0 for each in mine])
    several = [place for place, each in enumerate(mine) if each.ranks]
    held_out = []
    for place in several:
        others = np.arange(len(mine)) != place
        held_out.append(
            Prediction(mine[place].title, float(took[place]), float(rows[place] @ _solve(rows[others], took[others])))
        )
    *slowness, alpha, beta = _solve(rows, took)
    itemsize = int(np.dtype(mine[0].dtype).itemsize)
    rates = {shape: 1 / each for shape, each in zip(shapes, slowness, strict=True) if each}
    return Fit(transport, alpha, beta, rates, held_out, max(_ranks(mine[place]) for place in several), itemsize)


def _solve(rows: Any, took: Any) -> list[float]:
    """The least squares of errors in proportion; no cost is negative."""
    found, _ = nnls(rows / took[:, None], np.ones(len(took)))
    return [float(each) for each in found]


def _costs(epoch: Record, transport: str, shapes: Sequence[str]) -> list[float]:
    """What each of the model's unknowns is multiplied by: a rank's flops, for the epoch's shape alone; messages, bytes."""
    n, d, k, batch = (epoch.shape[name] for name in ("n", "d", "k", "batch"))
    steps, ranks = ceil(n / batch), _ranks(epoch)
    flops = 4 * n * d * k / ranks + 2 * steps * (d + 1) * k  # every rank updates all weights
    messages, moved = all_reduce(transport, ranks, (d + 1) * k * int(np.dtype(epoch.dtype).itemsize))
    return [*(flops * (shape == shape_of(epoch)) for shape in shapes), steps * messages, steps * moved]


def _ranks(epoch: Record) -> int:
    return epoch.ranks.count if epoch.ranks else 1


def shape_of(epoch: Record) -> str:
    """Features and outputs of an epoch: d x k."""
    return f"{epoch.shape['d']}x{epoch.shape['k']}"
