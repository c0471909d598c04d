"""What the compiler makes of every kernel, held to budgets.toml and to what no kernel may exceed; run by test_cuda.py."""

from __future__ import annotations

import tomllib
from functools import cache
from itertools import pairwise

import pytest
from budgets import FILE, kernels, measure

from kernels.cuda.full.blocking import BLOCKINGS
from kernels.cuda.full.stages import STAGES
from kernels.cuda.launch import MOST_SHARED_BYTES

KERNELS = {str(kernel): kernel for kernel in kernels()}
BUDGETS = tomllib.loads(FILE.read_text(encoding="utf-8"))

TOLERANCE = {"registers": 8, "issued": 12, "wavefronts": 4, "share": 1.0, "bound": 1.0}
"""Other versions of Python have other bytecode, and numba hands the compiler another order; 3.11 and 3.12 make no difference."""


@cache
def measured(name):
    return measure(KERNELS[name])


def test_every_kernel_has_a_budget():
    assert list(BUDGETS) == list(KERNELS)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_keeps_to_its_budget(name):
    found = measured(name)
    assert found.keys() == BUDGETS[name].keys()
    for key, budget in BUDGETS[name].items():
        assert abs(found[key] - budget) <= TOLERANCE.get(key, 0), (key, found, "see budgets.py")


@pytest.mark.parametrize("name", KERNELS)
def test_nothing_spills_and_a_block_can_be_launched(name):
    found = measured(name)
    assert found["spilled"] == found["stack"] == 0
    assert found["registers"] <= 255
    assert found["shared"] <= MOST_SHARED_BYTES


@pytest.mark.parametrize("dtype", BLOCKINGS)
def test_every_stage_has_a_larger_share_of_multiply_adds_than_the_one_before(dtype):
    shares = [measured(f"{stage.name} {dtype} sm_90")["share"] for stage in STAGES]
    assert all(low < high for low, high in pairwise(shares)), shares


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_nine_tenths_of_what_full_issues_in_float32_are_multiply_adds(arch):
    assert measured(f"{STAGES[-1].name} float32 {arch}")["share"] >= 90
