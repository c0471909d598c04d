"""What holds for every test, whichever worker of pytest-xdist it runs in.

Torch, which is slow to import, and the suites, which look up every kernel, are imported by the tests that use them.
"""

from __future__ import annotations

import os
import signal

import pytest


def pytest_configure() -> None:
    """Keep two things from the processes that tests start.

    A pytest among them is no worker of this one: pytest-benchmark measures nothing in a worker. And none ignores an interrupt, as
    this process does if it runs in the background of a shell.
    """
    os.environ.pop("PYTEST_XDIST_WORKER", None)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that are given most time: a worker that comes to one at the end leaves the other idle."""
    items.sort(key=lambda item: -max((mark.args[0] for mark in item.iter_markers("timeout")), default=0))
