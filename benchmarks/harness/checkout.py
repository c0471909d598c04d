"""Where this package lies: in a clone of the project, or installed, without documents and the suites of asv and pytest."""

from __future__ import annotations

from pathlib import Path

from minisgd.common.cli import UsageError

ROOT = Path(__file__).parents[2]
"""The folder that holds this package."""

ASV = "asv.conf.json"


def require_clone(what: str, root: Path = ROOT) -> None:
    """Refuse what an installation cannot do.

    Parameters
    ----------
    what : str
        The command, for the message.

    Raises
    ------
    UsageError
        If this package is not part of a clone.
    """
    if not (root / ASV).is_file():
        raise UsageError(f"{what}: needs this project's own files, which no installation has; run it in a clone of minisgd")
