"""Several processes follow the trajectory of one, by either transport; each test is one job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from launches import PATIENCE, launch

from minisgd.data import airfoil
from minisgd.steps import fused
from minisgd.steps.ranks import share, warm

JOB = Path(__file__).parent / "apart" / "trajectories.py"


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 97])
def test_shares_are_disjoint_complete_and_even(ranks, size):
    rows = np.arange(size) + 1000
    shares = [share(rows, rank, ranks) for rank in range(ranks)]
    np.testing.assert_array_equal(np.concatenate(shares), rows)
    lengths = [len(each) for each in shares]
    assert max(lengths) - min(lengths) <= 1


@pytest.fixture(scope="module")
def compiled():
    """Once, and not in each rank."""
    for dtype in ("float32", "float64"):
        data = airfoil().astype(dtype)
        weights, bias = np.zeros((5, 1), dtype), np.zeros(1, dtype)
        warm((data.x, data.y, data.objective), weights, bias)
        fused.prepare(data.x, data.y, weights, bias, data.objective)(np.arange(0), 1, 0.0)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("transport", ["gloo", "MPI"])
def test_two_ranks_follow_one_process_to_rounding(transport):
    with launch(transport, JOB) as job:
        out, err = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, err
    found = json.loads(out)
    assert (found["ranks"], found["transport"]) == (2, transport)
    for case in found["cases"]:
        assert case["alike"], case
        assert case["moved"] > 0.01 > case["allowed"], case
        assert case["from float64"] <= case["allowed"], case
        assert case["from one process"] <= 2 * case["allowed"], case
    # Three ways to the same weights: one average each batch of even shares, and DistributedDataParallel on even batches.
    assert len(found["cases"]) == 12 + 2 * (2 if transport == "gloo" else 1)
    for case in found["local"]:
        assert case["alike"], case
        assert case["from one process"] > 10 * case["allowed"], case  # another trajectory
        assert case["loss"] < case["loss before"], case
    assert (
        found["disagreement"]
        == [
            "rank 1 has batch size 11, rank 0 10; rank 1 has shapes 'x (99, 5), y (99, 1)', rank 0 'x (1500, 5), y (1500, 1)'; "
            "expected all ranks to be started alike"
        ]
        * 2
    )
