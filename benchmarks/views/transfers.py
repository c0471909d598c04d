"""Copies between the host and a device as a table, from records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minisgd.common.tables.description import Cell, Column, Table, words

if TYPE_CHECKING:
    from benchmarks.harness.records import Run


def transfers(run: Run) -> Table:
    """A row for each direction and size: seconds of a copy, and bytes a second."""
    made = Table([
        words("copy"), Column("size"), words("device"), Column("bytes", "B"), Column("median", "s"), Column("GB/s", "GB/s"),
    ], "transfers")  # fmt: skip
    for record in run.records:
        rate = record.bytes / record.median_s / 1e9 if record.bytes and record.median_s else Cell("failed", style="bad")
        made.add(record.rung, record.size, record.device, record.bytes, record.median_s, rate)
    return made
