"""The pytest-benchmark suite of epochs of SGD: the tracked grid, each case checked and timed; see `benchmarks.conftest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.harness.records import Case

if TYPE_CHECKING:
    from benchmarks.conftest import Measured


def pytest_generate_tests(metafunc: Any) -> None:
    """A test a case, from the registry."""
    from benchmarks import tracked

    found = tracked.everywhere("sgd")
    metafunc.parametrize("case", found, ids=[case.title for case in found])


def test_epoch(case: Case, measured: Measured) -> None:
    """Time an epoch, and check one from other weights in another order."""
    assert measured(case).failure is None
