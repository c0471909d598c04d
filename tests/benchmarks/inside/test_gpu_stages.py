"""What is said of the stages inside numba-cuda/full without a GPU."""

from __future__ import annotations

from benchmarks.inside.gpu_stages import allowed


def test_the_machine_code_of_the_last_stage_allows_more_of_the_peak_than_that_of_the_first():
    for dtype in ("float32", "float64"):
        assert 0 < allowed("register tile", dtype) < allowed("+ no guards", dtype) <= 100
