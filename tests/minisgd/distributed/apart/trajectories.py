"""A rank of a job: trains every case, and rank 0 prints how far each case ends from one process and from float64.

Also whether all ranks have the same weights to the bit, and what is said if ranks disagree.
"""

from __future__ import annotations

import json
from itertools import product

import numpy as np

from minisgd.accuracy import reference
from minisgd.common.cli import UsageError
from minisgd.data import Problem, airfoil, linear
from minisgd.distributed import joined
from minisgd.distributed.agreement import agree, facts_of
from minisgd.distributed.steps import data_parallel, prepare_on
from minisgd.objectives import loss
from minisgd.steps import fused
from minisgd.train import Settings

SIZES, DTYPES, RATE = (1, 2, 97, 1499, 1500), ("float32", "float64"), 0.05


def trained(prepare, data, order, batch_size):
    """Weights and bias together, after an epoch."""
    weights, bias = np.zeros((data.x.shape[1], data.y.shape[1]), data.x.dtype), np.zeros(data.y.shape[1], data.x.dtype)
    epoch = prepare(data.x, data.y, weights, bias, data.objective)
    epoch(order, batch_size, RATE)
    return np.vstack([weights, bias])


def bounded(data, order, batch_size):
    """The same in float64, and how far rounding may take a step's trajectory from it."""
    zeros = np.zeros((data.x.shape[1], data.y.shape[1])), np.zeros(data.y.shape[1])
    weights, bias, allowed = reference(data.x, data.y, *zeros, data.objective, order, batch_size, RATE, str(data.x.dtype))
    return np.vstack([weights, bias]), allowed


def everyone_s(transport, mine):
    """What each rank has."""
    return np.array(transport.inquiry.exchange(mine))


def case(transport, prepare, problem, dtype, batch_size):
    """What is found of a case; every rank works at it."""
    data = problem.astype(dtype)
    order = np.random.default_rng(batch_size).permutation(len(data.x))
    found = trained(prepare, data, order, batch_size)
    everyone = everyone_s(transport, found)
    if transport.rank:
        return {}
    expected, allowed = bounded(data, order, batch_size)
    return {
        "case": f"{problem.name} {dtype} {batch_size}",
        "alike": bool((everyone == everyone[0]).all()),
        "moved": float(np.linalg.norm(found)),
        "from float64": float(np.linalg.norm(found - expected)),
        "from one process": float(np.linalg.norm(found - trained(fused.prepare, data, order, batch_size))),
        "allowed": allowed,
        "loss": loss(data.objective, found[:-1], found[-1], data.x, data.y),
        "loss before": loss(data.objective, 0 * found[:-1], 0 * found[-1], data.x, data.y),
    }


def disagreement(transport):
    """What each rank is told when rank 1 has fewer examples and larger batches."""
    problem, rank = airfoil(), transport.rank
    if rank:
        problem = Problem(problem.name, problem.x[:99], problem.y[:99], problem.objective, problem.floor, problem.source)
    facts = facts_of(problem, Settings(batch_size=10 + rank)) | {"content of the data": "not compared here"}
    agree(transport.inquiry, facts | {"batch size": 10, "shapes": ""})
    try:
        agree(transport.inquiry, facts)
    except UsageError as error:
        said = str(error)
    return transport.inquiry.exchange(said)


def main():
    problems = [(airfoil(), size) for size in SIZES] + [(linear(60, 40), 7)]
    with joined(60) as transport:
        summed = prepare_on(transport)
        cases = [case(transport, summed, problem, dtype, size) for (problem, size), dtype in product(problems, DTYPES)]
        ways = [prepare_on(transport, 1)] + ([data_parallel(transport)] if transport.name == "gloo" else [])
        cases += [case(transport, way, airfoil(), dtype, 100) for way, dtype in product(ways, DTYPES)]
        local = [case(transport, prepare_on(transport, 5), airfoil(), "float64", size) for size in (10, 97)]
        found = {"local": local, "disagreement": disagreement(transport)}
        if transport.rank == 0:
            print(json.dumps({"ranks": transport.count, "transport": transport.name, "cases": cases} | found))


if __name__ == "__main__":
    main()
