"""A model of an epoch on R ranks, fitted to what was measured, and what follows for more ranks on other networks.

A step on a batch B takes

    t = (1 + waiting) (step + |B| / R example) + alpha messages + beta bytes

`step`, the seconds of a step without examples, and `example`, those of an example, are a loop's on a shape: the update, and the
ends of loops, cost the same on a batch of any size. One process has a loop of its own. `waiting` is for the slower rank, of which
there is the more, the longer ranks compute. `alpha`, seconds a message, and `beta`, seconds a byte, are those of the software on
this machine. All three are a transport's. A step has one all-reduce of the S bytes of all gradients.
Gloo's goes round a ring, in 2 (R - 1) messages of S / R bytes. MPI's doubles the distance, in log2 R messages of S bytes, if they
are short; long ones are halved first, in 2 log2 R messages of the ring's bytes in all.

The ranks' loop is fitted to epochs with an all-reduce that does nothing, the rest to what one that sums adds. A turn that others
on the machine have disturbed is longer than the least, so the model is of the least turns.

R ranks pay from the batch at which their step takes as long as that of one process.

Sources: gloo/allreduce.cc; Thakur, Rabenseifner and Gropp, "Optimization of collective
communication operations in MPICH", IJHPCA 19 (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil, inf, log2
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


class Loop(NamedTuple):
    """What a loop takes on a shape: seconds of a step without examples, and of an example."""

    step_s: float
    example_s: float


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
    waiting : float
        For the slower rank, in proportion to computing.
    loops : dict of str to Loop
        The ranks', by shape: d x k.
    alone : dict of str to Loop
        That of one process.
    held_out : list of Prediction
        One for each epoch of several ranks.
    ranks : int
        The most that were measured.
    itemsize : int
    """

    transport: str
    alpha_s: float
    beta_s: float
    waiting: float
    loops: dict[str, Loop]
    alone: dict[str, Loop]
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

    def pays_from(self, shape: str, ranks: int, network: Network | None = None) -> float:
        """The batch from which so many ranks are faster than one process; infinite, if they never are."""
        loop, alone, longer = self.loops[shape], self.alone[shape], 1 + self.waiting
        saved = alone.example_s - longer * loop.example_s / ranks
        lost = self.all_reduce_s(shape, ranks, network) + longer * loop.step_s - alone.step_s
        return max(1.0, lost / saved) if saved > 0 else inf

    def kept(self) -> dict[str, Any]:
        """For programs, with the batches from which ranks pay; none where they never do."""
        paying = [
            {"shape": shape, "network": place.name if place else None, "ranks": ranks, "batch": batch if batch < inf else None}
            for shape in self.loops
            for place in (None, *NETWORKS)
            for ranks in RANKS
            for batch in [self.pays_from(shape, ranks, place)]
        ]
        named = {
            "loops": {shape: each._asdict() for shape, each in self.loops.items()},
            "alone": {shape: each._asdict() for shape, each in self.alone.items()},
            "held_out": [each._asdict() for each in self.held_out],
        }
        return asdict(self) | named | {"pays_from": paying, "networks": [each._asdict() for each in NETWORKS]}


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
    transports = dict.fromkeys(each.ranks.transport for each in epochs if each.ranks and each.computing_s)
    return [_fit(transport, epochs) for transport in transports if not compared.starved(run)]


def _fit(transport: str, epochs: Sequence[Record]) -> Fit:
    several = [each for each in epochs if each.ranks and each.ranks.transport == transport]
    alone = [each for each in epochs if each.ranks is None]
    loops, (waiting, alpha, beta) = _solve(several)
    held_out = []
    for place, each in enumerate(several):
        others, costs = _solve([*several[:place], *several[place + 1 :]])
        loop = others.get(shape_of(each), Loop(0.0, 0.0))
        held_out.append(Prediction(each.title, least_s(each), _computing(loop, each) + float(np.dot(_added(loop, each), costs))))
    return Fit(
        transport, alpha, beta, waiting, loops, {shape: _loop(alone, shape) for shape in loops}, held_out,
        max(_ranks(each) for each in several), int(np.dtype(several[0].dtype).itemsize),
    )  # fmt: skip


def _solve(several: Sequence[Record]) -> tuple[dict[str, Loop], list[float]]:
    """The loops of ranks by shape; then waiting, alpha and beta, by the least squares of errors in proportion."""
    loops = {shape: _loop(several, shape) for shape in dict.fromkeys(map(shape_of, several))}
    took = np.array([least_s(each) for each in several])
    computing = np.array([_computing(loops[shape_of(each)], each) for each in several])
    added = np.array([_added(loops[shape_of(each)], each) for each in several])
    found, _ = nnls(added / took[:, None], np.maximum(0, took - computing) / took)
    return loops, [float(each) for each in found]


def _loop(epochs: Sequence[Record], shape: str) -> Loop:
    """Fitted to the computing alone."""
    mine = [each for each in epochs if shape_of(each) == shape]
    took = np.array([each.computing_s or least_s(each) for each in mine])
    found, _ = nnls(np.array([_work(each) for each in mine]) / took[:, None], np.ones(len(took)))
    return Loop(*map(float, found))


def _computing(loop: Loop, epoch: Record) -> float:
    return float(np.dot(_work(epoch), loop))


def _work(epoch: Record) -> tuple[int, float]:
    """Steps of an epoch, and a rank's examples."""
    return ceil(epoch.shape["n"] / epoch.shape["batch"]), epoch.shape["n"] / _ranks(epoch)


def _added(loop: Loop, epoch: Record) -> tuple[float, float, float]:
    """What the three costs of summing are multiplied by: computing, messages, bytes."""
    steps, d, k = _work(epoch)[0], epoch.shape["d"], epoch.shape["k"]
    transport = epoch.ranks.transport if epoch.ranks else ""
    messages, moved = all_reduce(transport, _ranks(epoch), (d + 1) * k * int(np.dtype(epoch.dtype).itemsize))
    return _computing(loop, epoch), steps * messages, steps * moved


def least_s(epoch: Record) -> float:
    """Seconds of the least turn."""
    return min(epoch.samples_s or [inf])


def _ranks(epoch: Record) -> int:
    return epoch.ranks.count if epoch.ranks else 1


def shape_of(epoch: Record) -> str:
    """Features and outputs of an epoch: d x k."""
    return f"{epoch.shape['d']}x{epoch.shape['k']}"
