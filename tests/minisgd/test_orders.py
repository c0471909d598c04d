from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from minisgd import orders_compiled, orders_plain
from minisgd.orders import orders


def test_each_epoch_is_another_permutation_and_the_seed_decides():
    first, second = (order.copy() for order in islice(orders(100, seed=3), 2))
    assert sorted(first) == sorted(second) == list(range(100))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, next(orders(100, seed=3)))
    assert not np.array_equal(first, next(orders(100, seed=4)))


def test_every_example_is_equally_likely_in_every_place():
    counts = np.zeros((8, 8))
    for order in islice(orders(8, seed=0), 20_000):
        counts[np.arange(8), order] += 1
    # chi-squared with 49 degrees of freedom: 85 is passed with a probability of one in a thousand
    assert np.square(counts - 2500).sum() / 2500 < 85


def test_draws_with_replacement_leave_a_third_out():
    seen = [len(set(order.tolist())) / 1000 for order in islice(orders(1000, seed=0, replacement=True), 50)]
    assert abs(np.mean(seen) - (1 - np.exp(-1))) < 0.01


def test_small_and_empty():
    assert next(orders(1, seed=0)).tolist() == [0]
    assert next(orders(0, seed=0)).tolist() == []


@pytest.mark.parametrize("n", [0, 1, 2, 5, 513, 1500])
@pytest.mark.parametrize("seed", [0, 3, 2**64 - 1])
@pytest.mark.parametrize("name", ["shuffle", "draw"])
def test_they_are_the_same_without_numba(n, seed, name):
    drawn = []
    for module in (orders_compiled, orders_plain):
        order, state = np.arange(n), np.array([seed], np.uint64)
        for _ in range(3):
            getattr(module, name)(order, state)
        drawn.append((order.tolist(), state.tolist()))
    assert drawn[0] == drawn[1]
