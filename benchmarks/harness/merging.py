"""Runs of the shards of one list, joined to the run that one machine would have made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.ceilings.trials import best
from benchmarks.harness.machines import Ceilings, Machine
from benchmarks.harness.records import Record, Run
from benchmarks.harness.shards import Shard
from minisgd.common.cli import UsageError


def merge(runs: Sequence[tuple[Path, Run]]) -> Run:
    """Join runs, each of one shard; their order makes no difference.

    Parameters
    ----------
    runs : sequence of (path, Run)
        The paths are for the messages.

    Returns
    -------
    Run
        The records in the order of the whole list, the machine of the first shard, and the best ceilings of all.

    Raises
    ------
    UsageError
        If a run is not that of a shard, or was cut short; if presets, commits, lists of cases or machines differ; or if a shard
        is missing or there twice.
    """
    shards = [(path, _shard(path, run)) for path, run in runs]
    _require_one("preset", [(path, shard.preset) for path, shard in shards])
    _require_one("commit", [(path, run.commit) for path, run in runs])
    _require_one("number of shards", [(path, shard.of) for path, shard in shards])
    _require_one("list of cases", [(path, f"{shard.cases} cases, {shard.digest[:12]}") for path, shard in shards])
    _require_one("machine", [(path, _kind(run.machine)) for path, run in runs])
    by_number: dict[int, tuple[Path, Run]] = {}
    for (path, shard), (_, run) in zip(shards, runs, strict=True):
        if shard.number in by_number:
            raise UsageError(f"{path}: shard {shard.name}, as {by_number[shard.number][0]} is; expected each shard once")
        by_number[shard.number] = path, run
    of, cases = shards[0][1].of, shards[0][1].cases
    if missing := sorted(set(range(1, of + 1)) - set(by_number)):
        raise UsageError(f"shard {missing[0]}/{of} is missing; run it with the same options and --shard {missing[0]}/{of}")
    return _joined([by_number[number][1] for number in range(1, of + 1)], cases)


def _joined(runs: list[Run], cases: int) -> Run:
    records: list[Record] = [runs[0].records[0]] * cases
    for place, run in enumerate(runs):
        records[place :: len(runs)] = run.records
    found: dict[str, Ceilings] = {}
    for run in runs:
        for device, limits in run.machine.ceilings.items():
            found[device] = best(found.get(device), limits)
    machine = runs[0].machine.model_copy(update={"ceilings": found})
    whole = {"created": min(run.created for run in runs), "machine": machine, "records": records, "shard": None}
    return runs[0].model_copy(update=whole)


def _shard(path: Path, run: Run) -> Shard:
    """The shard of a run that has measured all of it."""
    if run.shard is None:
        raise UsageError(f"{path}: not a shard; expected a run that was made with --shard i/n")
    expected = len(range(run.shard.number - 1, run.shard.cases, run.shard.of))
    if len(run.records) != expected:
        raise UsageError(f"{path}: cut short, with {len(run.records)} of {expected} cases; measure shard {run.shard.name} again")
    if not run.shard.finished:
        raise UsageError(f"{path}: cut short before its last round; measure shard {run.shard.name} again")
    return run.shard


def _require_one(what: str, values: Sequence[tuple[Path, Any]]) -> None:
    (first, expected), *others = values
    for path, value in others:
        if value != expected:
            raise UsageError(f"{path}: another {what} than {first}: {value}, not {expected}; expected the shards of one run")


def _kind(machine: Machine) -> str:
    """What has to be the same for figures to stand in one table."""
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(machine.libraries.items()))
    return f"{machine.cpu}, {machine.cores} cores, {machine.gpu or 'no GPU'}, {libraries}"
