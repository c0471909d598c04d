"""What is measured is kept on disk as it grows, and a full disk does not end the measuring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import records

if TYPE_CHECKING:
    from benchmarks.harness.fields import Model


class Keeping:
    """Writes files again and again, and goes on where one cannot be written: the disk may be freed, and all is printed anyway.

    Attributes
    ----------
    complaint : OSError or None
        Why the last file could not be written.
    """

    def __init__(self) -> None:
        self.complaint: OSError | None = None

    def save(self, found: Model, path: Path) -> None:
        """Write a run, or another model, if that is possible."""
        try:
            records.save(found, path)
            self.complaint = None
        except OSError as error:
            self.complaint = error
