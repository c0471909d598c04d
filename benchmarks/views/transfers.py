"""Copies between the host and a device as a table, from records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.views.tables import median
from minisgd.common.terminal import styled, table
from minisgd.common.units import digits

if TYPE_CHECKING:
    from rich.table import Table

    from benchmarks.harness.records import Run


def transfers(run: Run) -> Table:
    """A row a way and size: seconds of a copy, and bytes a second."""
    made = table("copy", " size", " device", "bytes", "median", "GB/s", title="transfers")
    for record in run.records:
        named = [record.rung, record.size, record.device, f"{record.bytes or 0:,}"]
        if record.median_s:
            made.add_row(*named, median(record), digits((record.bytes or 0) / record.median_s / 1e9))
        else:
            made.add_row(*named, styled("failed", "red"), "")
    return made
