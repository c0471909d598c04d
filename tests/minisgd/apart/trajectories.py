"""A rank of a job: trains every case, and rank 0 prints how far each case ends from one process and from float64.

Also whether all ranks have the same weights to the bit.
"""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import torch
import torch.distributed as dist

from minisgd.accuracy import reference
from minisgd.data import airfoil, linear
from minisgd.distributed import joined
from minisgd.steps import fused

SIZES, DTYPES, RATE, EPOCHS = (1, 2, 97, 1499, 1500), ("float32", "float64"), 0.05, 2


def trained(prepare, data, orders, batch_size):
    """Weights and bias together, after an epoch for each order."""
    weights, bias = np.zeros((data.x.shape[1], data.y.shape[1]), data.x.dtype), np.zeros(data.y.shape[1], data.x.dtype)
    epoch = prepare(data.x, data.y, weights, bias, data.objective)
    for order in orders:
        epoch(order, batch_size, RATE)
    return np.vstack([weights, bias])


def bounded(data, orders, batch_size):
    """The same in float64, and how far rounding may take a step's trajectory from it."""
    weights, bias, allowed = np.zeros((data.x.shape[1], data.y.shape[1])), np.zeros(data.y.shape[1]), 0.0
    for order in orders:
        weights, bias, more = reference(data.x, data.y, weights, bias, data.objective, order, batch_size, RATE, str(data.x.dtype))
        allowed += more
    return np.vstack([weights, bias]), allowed


def case(ranks, problem, dtype, batch_size):
    """What rank 0 finds of a case; every rank works at it."""
    data, random = problem.astype(dtype), np.random.default_rng(batch_size)
    orders = [random.permutation(len(data.x)) for _ in range(EPOCHS)]
    found = trained(ranks.prepare, data, orders, batch_size)
    everyone = [torch.empty(found.shape, dtype=getattr(torch, dtype)) for _ in range(ranks.count)]
    dist.all_gather(everyone, torch.from_numpy(found))
    if ranks.rank:
        return {}
    expected, allowed = bounded(data, orders, batch_size)
    return {
        "case": f"{problem.name} {dtype} {batch_size}",
        "alike": all(torch.equal(everyone[0], other) for other in everyone),
        "moved": float(np.linalg.norm(found)),
        "from float64": float(np.linalg.norm(found - expected)),
        "from one process": float(np.linalg.norm(found - trained(fused.prepare, data, orders, batch_size))),
        "allowed": allowed,
    }


def main():
    problems = [(airfoil(), size) for size in SIZES] + [(linear(60, 40), 7)]
    with joined(60) as ranks:
        found = [case(ranks, problem, dtype, size) for (problem, size), dtype in product(problems, DTYPES)]
        if ranks.rank == 0:
            print(json.dumps({"ranks": ranks.count, "cases": found}))


if __name__ == "__main__":
    main()
