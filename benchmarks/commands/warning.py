"""What stands before figures: variables that were left out or that hold a library back, and a machine that is not quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minisgd.common.environment import tell

if TYPE_CHECKING:
    from rich.console import Console


def warn(screen: Console) -> None:
    """Print a line on the environment and one on the machine, if there is something to say of them."""
    from benchmarks.harness.host.quiet import complaint

    tell(screen)
    if said := complaint():
        screen.print(said, style="yellow", markup=False, soft_wrap=True)
