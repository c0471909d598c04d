"""What the profile makes of times: here they are made up, and each part is known."""

from __future__ import annotations

import pytest

from benchmarks.inside import profile

SHAPE = {"m": 12, "n": 64, "p": 32}
FLOPS = 2 * 12 * 64 * 32
TILE = (8, 32)
"""Of two, one is not whole: whole ones would have 16 rows."""

MADE_UP = {"_tiles": 6.0, "multiply": 10.0, "packing": 1.5, "gemm": 6.25}
"""Seconds of the microkernel's calls, of the product, of the product without them, and of the product on two threads."""


class Peaks:
    """A peak at which the product would take four seconds on one thread, and two on both."""

    def __init__(self, threads):
        self.best = FLOPS / {1: 4.0, 2: 2.0}[threads]


def test_each_part_is_the_time_that_only_it_takes(monkeypatch):
    monkeypatch.setattr(profile.ceilings, "fma_peak", lambda dtype, threads: Peaks(threads))
    monkeypatch.setattr(profile.timing, "settle", lambda: None)
    monkeypatch.setattr(profile, "_microtile", lambda workspace, m, p: TILE)

    def seconds(work, before=None):
        name = getattr(work.func, "__name__", "multiply")
        return MADE_UP["packing" if before else name]

    monkeypatch.setattr(profile, "_seconds", seconds)
    found = profile.profile("float32", **SHAPE, threads=2, turns=1, advance=lambda label: None)
    assert found == pytest.approx(
        {"multiply-adds": 40, "microkernel": 5, "edges": 15, "packing": 15, "memory": 25, "all threads": 80}
    )
