"""`cuda-fused` in numba-cuda's simulator, held to the float64 trajectory; run by test_cuda_fused.py in a process of its own."""

from __future__ import annotations

import numpy as np
import pytest
import simulator_threads  # noqa: F401
import torch

from kernels.cuda.primitives import cuda
from minisgd.accuracy import reference
from minisgd.data import linear, logistic
from minisgd.steps import cuda_fused, cuda_loop

MAKE = {"squared": linear, "logistic": logistic}


@pytest.fixture(autouse=True)
def _simulated(monkeypatch):
    """Two warps a block, on the host's memory."""

    def launch(layout, blocks, device, *arguments):
        cuda.jit(cuda_fused.entry(layout))[blocks, cuda_fused.WARPS * cuda_fused.LANES](*arguments)

    monkeypatch.setattr(cuda_fused, "launch", launch)
    monkeypatch.setattr(cuda_fused, "WARPS", 2)


def trained(n, d, k, batch_size, objective, dtype="float32", epochs=1, factors=(1.0,)):
    """Sets of models by the kernel and by the reference: the distance of each, and its bound."""
    problem, random = MAKE[objective](n, d, k, seed=n).astype(dtype), np.random.default_rng(n)
    weights = random.standard_normal((len(factors), d, k)).astype(dtype)
    bias = random.standard_normal((len(factors), k)).astype(dtype)
    rate = 1.0 / (1 + np.square(problem.x).sum(axis=1).max())
    orders = np.stack([random.permutation(n) for _ in range(epochs)])
    ends = []
    for one, factor in enumerate(factors):
        w, b, allowed = weights[one], bias[one], 0.0
        for order in orders:
            w, b, more = reference(problem.x, problem.y, w, b, objective, order, batch_size, rate * factor, dtype)
            allowed += more
        ends.append((w, b, allowed))
    tensors = [torch.from_numpy(each) for each in (problem.x, problem.y, weights, bias)]
    before = problem.x.copy(), problem.y.copy()
    run = cuda_fused.sets(*tensors, objective, torch.tensor(factors, dtype=tensors[0].dtype))
    run(torch.from_numpy(orders), batch_size, rate)
    np.testing.assert_array_equal(problem.x, before[0])
    np.testing.assert_array_equal(problem.y, before[1])
    return [(np.linalg.norm(np.vstack([weights[one] - w, bias[one] - b])), allowed) for one, (w, b, allowed) in enumerate(ends)]


def follows(found):
    return all(distance <= allowed for distance, allowed in found)


CASES = [
    (1, 1, 1, 1), (7, 5, 1, 1), (23, 5, 1, 10), (33, 5, 1, 33), (70, 3, 2, 40),  # an example a lane, the last two in turns
    (9, 9, 1, 4), (20, 20, 2, 7), (6, 70, 1, 5), (5, 300, 1, 2),  # lanes that share the weights
]  # fmt: skip


@pytest.mark.parametrize(("n", "d", "k", "batch_size"), CASES)
@pytest.mark.parametrize("objective", ["squared", "logistic"])
def test_the_trajectory_is_followed_within_the_bound(n, d, k, batch_size, objective):
    assert follows(trained(n, d, k, batch_size, objective, "float32" if n % 2 else "float64"))


def test_all_epochs_of_sets_with_rates_of_their_own():
    assert follows(trained(19, 4, 3, 6, "squared", epochs=3, factors=(1.0, 0.1, 0.0)))


@pytest.mark.parametrize("d", [5, 20])
def test_rows_and_visits_that_shared_memory_does_not_hold(monkeypatch, d):
    monkeypatch.setattr(cuda_loop, "MOST_SHARED_BYTES", 0)
    assert follows(trained(23, d, 2, 10, "squared", epochs=2))
    poisoned(d)


def poisoned(d):
    x, y = torch.ones(8, d), torch.ones(8, 1)
    for visit in (-1, 8, 10**12, 2**32 + 3):
        weights, bias = torch.zeros(d, 1), torch.zeros(1)
        order = torch.arange(8)
        order[5] = visit
        cuda_fused.prepare(x, y, weights, bias, "squared")(order, 4, 0.01)
        assert torch.isnan(weights).all()
        assert torch.isnan(bias).all()


@pytest.mark.parametrize("d", [5, 20])
def test_a_visit_of_no_example_does_not_go_unseen(d):
    poisoned(d)


@pytest.mark.parametrize(("dtype", "most"), [("float32", 1024), ("float64", 512)])
def test_more_weights_than_registers_hold_are_refused(dtype, most):
    layout = cuda_fused.layout_of(10, most, 1, 10, 1, dtype, "squared")
    assert (layout.sharing, layout.own, layout.groups) == (32, most // 32, 1)
    with pytest.raises(ValueError, match=rf"^weights: cuda-fused holds at most {most} of a model in {dtype}, got {most + 1}$"):
        cuda_fused.layout_of(10, most + 1, 1, 10, 1, dtype, "squared")


def test_how_lanes_are_laid_out():
    made = {
        (d, batch): cuda_fused.layout_of(1500, d, 1, 1500, batch, "float32", "squared")
        for d in (5, 8, 9, 100)
        for batch in (1, 10, 100)
    }
    found = {key: (each.sharing, each.own, each.groups, each.in_turns, each.held) for key, each in made.items()}
    assert found == {
        (5, 1): (1, 5, 1, False, True), (5, 10): (1, 5, 16, False, True), (5, 100): (1, 5, 32, True, True),
        (8, 1): (1, 8, 1, False, False), (8, 10): (1, 8, 16, False, False), (8, 100): (1, 8, 32, True, False),
        (9, 1): (2, 5, 1, False, False), (9, 10): (2, 5, 16, False, False), (9, 100): (2, 5, 16, True, False),
        (100, 1): (16, 7, 1, False, False), (100, 10): (16, 7, 2, True, False), (100, 100): (16, 7, 2, True, False),
    }  # fmt: skip
