"""What counts as a step: 5 %, from where the last one ended."""

from __future__ import annotations

import asv_results
import pytest

from benchmarks.trackers import asv as store
from benchmarks.trackers.history import series


def found(folder, levels):
    """The series of a case that stays at each level for twelve commits, without noise."""
    asv_results.machine(folder)
    for commit, value in enumerate((level for level in levels for _ in range(12)), start=1):
        asv_results.add(folder, commit, [value, value])
    return series(store.points(folder), folder)[0]


@pytest.mark.parametrize(("level", "verdicts"), [(1.10, ["worse"]), (0.90, ["better"]), (1.04, []), (0.96, [])])
def test_five_percent_make_a_step(tmp_path, level, verdicts):
    assert [step.verdict for step in found(tmp_path, [1.0, level]).steps] == verdicts


def test_small_changes_add_up_until_they_are_a_step(tmp_path):
    """Each of five levels is 4 % above the one before, which no step is; two of them together are one."""
    levels = [1.04**power for power in range(5)]
    steps = found(tmp_path, levels).steps
    assert [(step.before, step.after) for step in steps] == [(levels[0], levels[2]), (levels[2], levels[4])]
