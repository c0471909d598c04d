"""Turns on a clock that is counted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import cases
from benchmarks.harness.devices import Cpu
from benchmarks.inside.turns import TURN_S, Way, alternate, gflops


class Counted(Cpu):
    """Each call takes what it says; the second way's takes longer from turn to turn, as on a card that heats up."""

    resolution_s = 1e-6

    def __init__(self):
        super().__init__()
        self.now, self.order = 0.0, []

    def seconds(self, calls):
        start = self.now
        for call in calls:
            call()
        return self.now - start


def test_ways_alternate_forwards_and_backwards_and_turns_are_long_enough():
    where, case = Counted(), cases.case(cases.select(["numpy/full"])[0], {"m": 8, "n": 8, "p": 8}, "float32")

    def way(name, seconds):
        def multiply(a, b, out):
            np.matmul(a, b, out=out)
            where.now += seconds
            where.order.append(name)

        return Way(case, multiply)

    found = alternate([way("quick", 1e-3), way("slow", 4e-3)], where, turns=4)
    assert found == [pytest.approx([1e-3] * 4), pytest.approx([4e-3] * 4)]
    assert gflops(case, found[0]) == pytest.approx(2 * 8**3 / 1e-3 / 1e9)
    turns = [name for name, before in zip(where.order, [None, *where.order], strict=False) if name != before]
    assert turns[-5:] == ["quick", "slow", "quick", "slow", "quick"]  # there and back, twice
    assert where.order[-1:] == ["quick"]
    assert where.order.count("quick") >= 4 * TURN_S / 1e-3


def test_a_way_that_is_wrong_has_no_turns():
    case = cases.case(cases.select(["numpy/full"])[0], {"m": 8, "n": 8, "p": 8}, "float32")
    with pytest.raises(ArithmeticError, match="numpy/full: left 64 of 64 elements of out unwritten"):
        alternate([Way(case, lambda a, b, out: None)], Counted(), turns=2)
