"""What a framework's own interpreter is asked in tests: every kernel's and step's checker, and what is not waited for."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import timing
from benchmarks.harness.records import Case
from kernels import accuracy, arrays, matmul, registry
from minisgd import steps
from minisgd.accuracy import reference
from minisgd.data import linear, logistic

SHAPES = [(1, 1, 1), (9, 17, 11), (0, 3, 2), (3, 0, 2), (3, 2, 0)]
TILE = 4
EPOCHS = [(23, 5, 1, 1), (57, 6, 3, 10), (57, 6, 3, 57)]


def wrong_products(backend):
    """What is wrong with a backend's kernels, each complaint a line."""
    registry.find(f"{backend}/full")
    return [
        complaint
        for kernel in registry.available(f"{backend}/*")
        for dtype in kernel.dtypes
        for shape in SHAPES
        for complaint in _wrong_product(kernel, dtype, *shape)
    ]


def _wrong_product(kernel, dtype, m, n, p):
    random, library = np.random.default_rng(0), arrays.LIBRARIES[kernel.arrays]
    a, b = (random.standard_normal(shape).astype(dtype) for shape in ((m, n), (n, p)))
    placed = [library.place(each) for each in (a, b, np.full((m, p), np.nan, dtype))]
    tile = kernel.tile_for(dtype)
    returned = kernel.bind(dict.fromkeys(tile, TILE))(*placed)  # several tiles and a part of one
    for c in (library.fetch(placed[2] if returned is None else returned), library.fetch(matmul(*placed[:2], kernel=kernel.name))):
        error = accuracy.error(a, b, c)
        if c.dtype != dtype or not error <= kernel.bound(n, dtype):
            yield f"{kernel.name} {dtype} {m}x{n}x{p}: error {error:.1e}, {c.dtype}"
    for host, there in zip((a, b), placed, strict=False):
        if not np.array_equal(host, library.fetch(there)):
            yield f"{kernel.name} {dtype} {m}x{n}x{p}: changed its input"


def wrong_steps(name):
    """Where a step leaves the trajectory."""
    step = steps.find(name)
    return [
        complaint
        for dtype in step.dtypes
        for make in (linear, logistic)
        for shape in EPOCHS
        for complaint in _wrong_step(step, dtype, make, *shape)
    ]


def _wrong_step(step, dtype, make, n, d, k, batch):
    problem, random = make(n, d, k, seed=0).astype(dtype), np.random.default_rng(0)
    rate = 1.0 / (1 + np.square(problem.x).sum(axis=1).max())
    weights, bias, allowed = np.zeros((d, k), dtype), np.zeros(k, dtype), 0.0
    expected, expected_bias = weights, bias
    epoch = step.function(problem.x, problem.y, weights, bias, problem.objective)
    for _ in range(2):
        order = random.permutation(n)
        arguments = (problem.x, problem.y, expected, expected_bias, problem.objective, order, batch, rate, dtype)
        expected, expected_bias, more = reference(*arguments)
        allowed += more
        epoch(order, batch, rate)
    distance = np.linalg.norm(np.vstack([weights - expected, bias - expected_bias]))
    if not distance <= allowed:
        yield f"{step.name} {dtype} {problem.objective} {n}x{d}x{k} batch {batch}: {distance:.1e} beyond {allowed:.1e}"


def failure(case_json, waited):
    """What the harness says of a case, with its library waited for or not."""
    case = Case.model_validate_json(case_json)
    library = arrays.LIBRARIES[registry.find(case.kernel).arrays]
    if not waited:
        library.wait = lambda array: None
    found = timing.measure(case, 0.01)
    return found.check.failure, min(found.samples_s)
