"""Steps of torch's that run on a GPU, as far as they can be tested without one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from minisgd import steps
from minisgd.accuracy import reference
from minisgd.common.cli import UsageError
from minisgd.data import linear, logistic
from minisgd.steps import torch_steps
from minisgd.train import Settings, train

ON_BOTH = ["torch", "torch-concise", "torch-foreach", "torch-compile"]


def test_steps_for_a_gpu_say_so():
    assert {name: steps.find(name).devices for name in ON_BOTH} == dict.fromkeys(ON_BOTH, ("cpu", "cuda"))
    assert steps.find("torch-graph").devices == ("cuda",)
    assert steps.find("torch-graph").backend == "torch"


@pytest.mark.parametrize("name", ON_BOTH[:3])
def test_tensors_are_trained_in_place_as_arrays_are(name):
    """As on a GPU: the harness overwrites them between epochs, which a tensor that requires a gradient would refuse."""
    problem = linear(30, 5).astype("float32")
    ends = []
    for made in (lambda array: array, torch.from_numpy):
        weights, bias = np.zeros((5, 1), np.float32), np.zeros(1, np.float32)
        given = [made(array) for array in (problem.x, problem.y, weights, bias)]
        epoch = steps.find(name).function(*given, "squared")
        for _ in range(2):
            given[2][...] = given[3][...] = 0
            epoch(made(np.arange(30)), 7, 0.1)
        ends.append(np.vstack([weights, bias]))
    np.testing.assert_array_equal(*ends)
    assert np.all(ends[0] != 0)


@pytest.fixture
def recordings(monkeypatch):
    """What was recorded, where there is no GPU: it is done once, and to replay is to do it again."""
    made = []

    def record(work):
        work()
        made.append(work)
        return work

    monkeypatch.setattr(torch_steps, "recorded", record)
    return made


@pytest.mark.parametrize(("objective", "make"), [("squared", linear), ("logistic", logistic)])
@pytest.mark.parametrize(("d", "k", "batch_size"), [(5, 1, 1), (5, 1, 7), (40, 3, 40)])
def test_a_recorded_epoch_follows_the_trajectory(recordings, objective, make, d, k, batch_size):
    problem, random = make(40, d, k, seed=3).astype("float32"), np.random.default_rng(3)
    weights, bias = random.standard_normal((d, k)).astype("float32"), random.standard_normal(k).astype("float32")
    expected, expected_bias, allowed = weights, bias, 0.0
    # A GPU's graph is given tensors of the host here, past the check that refuses them.
    prepare = steps.find("torch-graph").function.__wrapped__
    epoch = prepare(*map(torch.from_numpy, (problem.x, problem.y, weights, bias)), objective)
    for rate in (0.02, 0.01, 0.005):
        order = random.permutation(40)
        arguments = (problem.x, problem.y, expected, expected_bias, objective, order, batch_size, rate, "float32")
        expected, expected_bias, more = reference(*arguments)
        allowed += more
        epoch(torch.from_numpy(order), batch_size, rate)
    assert np.linalg.norm(np.vstack([weights - expected, bias - expected_bias])) <= allowed
    assert len(recordings) == 1
    epoch(torch.arange(20), batch_size, 0.01)
    assert len(recordings) == 2


def test_a_step_for_a_gpu_refuses_what_is_elsewhere():
    problem = linear(30, 5).astype("float32")
    weights, bias = np.zeros((5, 1), np.float32), np.zeros(1, np.float32)
    with pytest.raises(ValueError, match=r"^x: torch-graph runs on cuda, got an array on cpu$"):
        steps.find("torch-graph").function(problem.x, problem.y, weights, bias, "squared")
    meta = torch.empty((5, 1), device="meta")
    with pytest.raises(ValueError, match=r"^weights: expected an array on cpu as x is, got one on meta$"):
        steps.find("torch").function(*map(torch.from_numpy, (problem.x, problem.y)), meta, torch.zeros(1), "squared")
    with pytest.raises(UsageError, match=r"^step 'torch-graph' runs on cuda; training is on the CPU, whose steps are others$"):
        train(problem, Settings(step="torch-graph"))
