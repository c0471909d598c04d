"""What several suites measure with."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.fixture
def two_rounds(monkeypatch):
    """Runs of two rounds, which have all that six have."""
    from benchmarks.harness import runs

    monkeypatch.setattr(runs, "ROUNDS", 2)
    monkeypatch.setattr(runs, "execute", partial(runs.execute, rounds=2))
