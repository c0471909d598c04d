"""What a gate is asked for, read from the command line before anything is measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minisgd.common.cli import UsageError

UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Asked:
    """What the options ask.

    Parameters
    ----------
    only : sequence of str
        Which benchmarks; all, if empty.
    effect : float
        The smallest change that matters: 0.03 is 3 %.
    budget_s : float, optional
        Seconds for all benchmarks; so many for each, if None.
    device : str
    every : bool
        Whether what the change cannot touch is measured too.
    repo : Path, optional
        A clone whose kernels and steps are compared, in place of this suite's.
    tests : Path, optional
        A file of tests that are compared instead.
    """

    only: Sequence[str]
    effect: float
    budget_s: float | None
    device: str
    every: bool
    repo: Path | None = None
    tests: Path | None = None


def percent(text: str) -> float:
    """A share from "3%".

    Examples
    --------
    >>> percent("3%"), percent("0.5 %")
    (0.03, 0.005)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text.strip())
    if not found or not 0 < float(found[1]) < 100:
        raise UsageError(f"--min-effect {text}: expected a percentage above 0, such as 3%")
    return float(found[1]) / 100


def duration(text: str) -> float:
    """Seconds from "90s", "10m" or "1h".

    Examples
    --------
    >>> duration("10m"), duration("90s")
    (600.0, 90.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip())
    if not found or float(found[1]) == 0:
        raise UsageError(f"--budget {text}: expected a time such as 10m, 90s or 1h")
    return float(found[1]) * UNITS[found[2]]
