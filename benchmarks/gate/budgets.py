"""Budgets: the most that a kernel's figures may be, where its authors say so."""

from __future__ import annotations

import tomllib
from pathlib import Path

from minisgd.common.cli import UsageError

FILE = Path(__file__).with_name("budgets.toml")


def load(path: Path = FILE) -> dict[str, dict[str, float]]:
    """Most by kernel and figure.

    Raises
    ------
    UsageError
        If it is not TOML, or a budget is not a number.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}; expected TOML") from None
    for kernel, budget in found.items():
        if not isinstance(budget, dict) or not all(isinstance(most, int | float) for most in budget.values()):
            raise UsageError(f"{path}: {kernel}: expected figures with numbers, such as spills = 0")
    return found
