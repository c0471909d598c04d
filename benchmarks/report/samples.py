"""The samples of every record, as the page's script draws them when somebody asks for a case's distribution."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from benchmarks.harness.records import Record
from benchmarks.report.sources import Sources

MOST = 12
"""Samples of a round that are kept: of more, every other, third, ... in measured order."""


def embedded(sources: Sources) -> Markup:
    """JSON for a script element: by run, each case's rounds of samples in seconds, its median and interval."""
    found = {name: {each.title: _of(each) for each in run.records if each.samples_s} for name, run in sources.runs}
    named = [{"file": name, "run": sources.name(name), "cases": cases} for name, cases in found.items() if cases]
    text = json.dumps(named, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _of(record: Record) -> dict[str, Any]:
    samples, sizes = record.samples_s or [], record.samples_per_round
    if not sizes or sum(sizes) != len(samples):
        sizes = [len(samples)]
    rounds, start = [], 0
    for count in sizes:
        some = samples[start : start + count]
        rounds.append([float(f"{each:.4g}") for each in some[:: -(-max(1, count) // MOST)]])
        start += count
    low, high = record.interval_s
    middle = record.median_s or 0.0
    return {"rounds": rounds, "median": [float(f"{each:.4g}") for each in (middle, low, high)]}
