"""The page of everything, drawn once: it takes ten seconds."""

from __future__ import annotations

import pytest
from pages_for_tests import everything

from benchmarks.report import page


@pytest.fixture(scope="session")
def rendered():
    return page.render(everything())
