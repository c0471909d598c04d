"""Kernels and steps as what tests are parametrised by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def require_cpu(what: str, found: Sequence[Any]) -> None:
    """Refuse what does not run on the CPU.

    Parameters
    ----------
    what : str
        "kernel" or "step".
    found : sequence of Kernel or Step

    Raises
    ------
    ValueError
    """
    for each in found:
        if "cpu" not in each.devices:
            raise ValueError(f"{each.name}: runs on {' or '.join(each.devices)}; expected a {what} that runs on the CPU")


def of_each(what: str, cases: Sequence[tuple[Any, str]]) -> pytest.MarkDecorator:
    """A test for each kernel or step and dtype, which it takes as `what` and ``dtype``."""
    return pytest.mark.parametrize((what, "dtype"), [pytest.param(*case, id=f"{case[0].name}-{case[1]}") for case in cases])
