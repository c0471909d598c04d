"""What holds for every test, whichever worker of pytest-xdist it runs in.

Torch, which is slow to import, and the suites, which look up every kernel, are imported by the tests that use them.
"""

from __future__ import annotations

import os

import pytest


def pytest_configure() -> None:
    """Let a pytest that a test starts be no worker of this one: pytest-benchmark measures nothing in a worker."""
    os.environ.pop("PYTEST_XDIST_WORKER", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that are given most time: a worker that comes to one at the end leaves the other idle."""
    items.sort(key=lambda item: -max((mark.args[0] for mark in item.iter_markers("timeout")), default=0))
