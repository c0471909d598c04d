"""The warning that stands before figures from a machine that is not fit to measure on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def warn(screen: Console) -> None:
    """Print in one line what is wrong with this machine, if anything is."""
    from benchmarks.harness.quiet import complaint

    if said := complaint():
        screen.print(said, style="yellow", markup=False)
