"""Learning rates over the epochs: functions of the epoch, counted from 0."""

from __future__ import annotations

from collections.abc import Callable

SCHEDULES: dict[str, Callable[[float, int], float]] = {
    "constant": lambda rate, epoch: rate,
    "decay": lambda rate, epoch: rate * 0.1**epoch,
    "inverse": lambda rate, epoch: rate / (1 + epoch),
    "polynomial": lambda rate, epoch: rate / (1 + 0.1 * epoch) ** 0.5,
}
"""By name: the first rate and the epoch to this epoch's rate. "decay" multiplies by 0.1 each epoch; "inverse" is 1/t;
"polynomial" falls as t^(-1/2), the rate of the textbook's convergence theorem for convex problems."""
