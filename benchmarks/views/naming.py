"""What machines and runs are called: by what they are and when they were measured, never by their files."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Run

CORES = {
    "znver1": "Zen 1", "znver2": "Zen 2", "znver3": "Zen 3", "znver4": "Zen 4", "znver5": "Zen 5",
    "haswell": "Haswell", "broadwell": "Broadwell", "skylake": "Skylake", "skylake-avx512": "Skylake",
    "cascadelake": "Cascade Lake", "icelake-client": "Ice Lake", "icelake-server": "Ice Lake", "alderlake": "Alder Lake",
    "sapphirerapids": "Sapphire Rapids", "emeraldrapids": "Emerald Rapids", "graniterapids": "Granite Rapids",
    "neoverse-n1": "Neoverse N1", "neoverse-v1": "Neoverse V1", "neoverse-v2": "Neoverse V2",
}  # fmt: skip
"""Families by LLVM's names of them; what is not here goes by LLVM's."""

HARDWARE = {"cpu", "cores", "quota", "vectors", "caches", "gpu"}
"""Fields of a machine that another installation of software leaves as they are."""

STAMPED = re.compile(r"\d{8}T\d{6}(?:\.\d+)?Z-(?P<preset>.+)")
"""The stem of a run's file: the moment, and the preset or the command."""


def machine_name(here: Machine) -> str:
    """The maker's name; where that has no number of a model, the family and the vector unit behind it.

    Examples
    --------
    >>> made = Machine.model_construct(cpu="AMD EPYC", core="znver1", vectors="AVX2")
    >>> machine_name(made), machine_name(made.model_copy(update={"cpu": "AMD EPYC 7B13"}))
    ('AMD EPYC (Zen 1, AVX2)', 'AMD EPYC 7B13')
    """
    if re.search(r"\d\w*\d|\bM\d", here.cpu.partition("@")[0]):  # behind the @ is the clock
        return here.cpu
    said = ", ".join(filter(None, (CORES.get(here.core, here.core), here.vectors)))
    return f"{here.cpu} ({said})" if said else here.cpu


def with_families(runs: Sequence[tuple[str, Run]]) -> list[tuple[str, Run]]:
    """The same runs; those from before runs had the CPU's family get that of the machine that is like theirs otherwise.

    Where machines of two families are like theirs, it could be either, and they stay as they are.
    """
    families: dict[str, set[str]] = defaultdict(set)
    for _, run in runs:
        if run.machine.core:
            families[_hardware(run.machine)].add(run.machine.core)
    return [(file, _with_family(run, families.get(_hardware(run.machine), set()))) for file, run in runs]


def _with_family(run: Run, families: Collection[str]) -> Run:
    if run.machine.core or len(families) != 1:
        return run
    return run.model_copy(update={"machine": run.machine.model_copy(update={"core": next(iter(families))})})


def _hardware(here: Machine) -> str:
    """What a machine is, but for the family; memory in GiB, since a kernel keeps a little of it for itself."""
    return here.model_dump_json(include=HARDWARE) + f"{here.memory_bytes / 2**30:.0f}"


def preset_name(file: str) -> str:
    """What was run, from the name of its file.

    Examples
    --------
    >>> preset_name("20260127T024312.123456Z-quick.json"), preset_name("ladder.json")
    ('quick', 'ladder')
    """
    stem = file.rsplit("/", 1)[-1].removesuffix(".json")
    stamped = STAMPED.fullmatch(stem)
    return stamped["preset"] if stamped else stem


def run_names(runs: Sequence[tuple[str, Run]]) -> list[str]:
    """Machine, commit, preset and day of each run, in the order given; the time of day too, where that is not enough."""
    short = [_name(file, run, "%Y-%m-%d") for file, run in runs]
    seen = Counter(short)
    long = [
        name if seen[name] == 1 else _name(file, run, "%Y-%m-%d %H:%M") for name, (file, run) in zip(short, runs, strict=True)
    ]
    seen, used = Counter(long), Counter[str]()
    for place, name in enumerate(long):
        if seen[name] > 1:
            used[name] += 1
            long[place] = f"{name}, number {used[name]}"
    return long


def _name(file: str, run: Run, day: str) -> str:
    commit = run.commit and run.commit[:7] + "+" * run.commit.endswith("+")
    return ", ".join(filter(None, (machine_name(run.machine), commit, preset_name(file), f"{run.created:{day}}")))
