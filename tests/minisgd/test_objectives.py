from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from minisgd.objectives import gradient, loss, sigmoid


@pytest.mark.parametrize("objective", ["squared", "logistic"])
@pytest.mark.parametrize("k", [1, 3])
def test_loss_and_gradient_are_autograd_s(objective, k):
    random = np.random.default_rng(0)
    w, b, x = random.standard_normal((4, k)), random.standard_normal(k), random.standard_normal((9, 4))
    y = random.integers(0, 2, (9, k)).astype(float)
    tw, tb = torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)
    z, ty = torch.tensor(x) @ tw + tb, torch.tensor(y)
    total = 0.5 * ((z - ty) ** 2).sum() if objective == "squared" else binary_cross_entropy_with_logits(z, ty, reduction="sum")
    (total / 9).backward()
    assert loss(objective, w, b, x, y) == pytest.approx(total.item() / 9, rel=1e-12)
    got = gradient(objective, w, b, x, y)
    np.testing.assert_allclose(got[0], tw.grad.numpy(), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(got[1], tb.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_the_worked_example():
    w, b, x, y = (np.array(value) for value in ([[0.23]], [0.1], [[1.23]], [[1.0]]))
    assert (x @ w + b).item() == pytest.approx(0.3829)
    assert sigmoid(x @ w + b).item() == pytest.approx(0.5946, abs=5e-5)
    assert loss("logistic", w, b, x, y) == pytest.approx(0.5199, abs=5e-5)
    assert [g.item() for g in gradient("logistic", w, b, x, y)] == pytest.approx([-0.4987, -0.4054], abs=5e-5)


@pytest.mark.parametrize("z", [1e3, -1e3, 1e308, -1e308])
def test_no_logit_overflows(z):
    one = np.ones((1, 1))
    value = loss("logistic", one * z, np.zeros(1), one, one * float(z < 0))
    assert value == pytest.approx(abs(z))
    assert sigmoid(one * z).item() == float(z > 0)
