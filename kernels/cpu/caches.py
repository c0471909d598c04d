"""This CPU's data caches, asked of the operating system.

Linux tells in sysfs, and where a virtual machine hides it there, ``lscpu`` or py-cpuinfo may still know; macOS tells through
sysctl. What nobody tells is assumed to be the commonest cache of the last ten years, and is marked as assumed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Cache:
    """One level of data cache.

    Parameters
    ----------
    level : int
        1 is nearest to the core.
    size : int
        Bytes.
    ways : int
        Associativity.
    line : int
        Bytes a line.
    shared_by : int
        Logical CPUs that share it.
    source : str
        Who said so: "sysfs", "lscpu", "sysctl", "py-cpuinfo" or "assumed".
    """

    level: int
    size: int
    ways: int
    line: int
    shared_by: int
    source: str

    @property
    def sets(self) -> int:
        """Number of sets: size / (ways line)."""
        return self.size // (self.ways * self.line)


ASSUMED = (
    Cache(1, 32 << 10, 8, 64, 1, "assumed"),
    Cache(2, 512 << 10, 8, 64, 1, "assumed"),
    Cache(3, 8 << 20, 16, 64, 4, "assumed"),
)


SIZES = {1: (2 << 10, 1 << 20), 2: (16 << 10, 256 << 20), 3: (128 << 10, 4 << 30), 4: (1 << 20, 64 << 30)}
"""Bytes, least and most, that a level may have; what lies beyond is a slip of a virtual machine or a driver."""


@cache
def caches() -> tuple[Cache, ...]:
    """Data caches from the first level outwards, each from the first source that knows all its figures.

    If no source knows all of a level's figures, the missing ones are assumed, and the cache's `source` names them.

    Examples
    --------
    >>> caches()[0].level
    1
    """
    whole: dict[int, Cache] = {}
    partial: dict[int, Cache | None] = {1: None}  # every core has a first level
    for source in SOURCES:
        try:
            told = source()
        except (OSError, ValueError, KeyError, TypeError, ImportError, subprocess.SubprocessError):
            continue
        for each in told:
            if each.level in SIZES:
                mended = _mended(each)
                (whole if mended == each else partial).setdefault(each.level, mended)  # type: ignore[arg-type]
        if whole and partial.keys() <= whole.keys():
            break
    if not whole and partial == {1: None}:
        return ASSUMED
    assumed = {each.level: each for each in ASSUMED}
    found = {level: whole.get(level) or partial[level] or assumed.get(level) for level in whole.keys() | partial.keys()}
    return tuple(each for _, each in sorted(found.items()) if each)


def _mended(told: Cache) -> Cache | None:
    """A cache with impossible figures replaced by assumed ones, which `source` names; None if its size is impossible."""
    least, most = SIZES[told.level]
    if not least <= told.size <= most:
        return None
    line = told.line if 16 <= told.line <= 1024 and told.line & (told.line - 1) == 0 else ASSUMED[0].line
    ways = told.ways if told.ways >= 1 and told.ways * line <= told.size else ASSUMED[0].ways
    guessed = [name for name, one, other in (("ways", ways, told.ways), ("line", line, told.line)) if one != other]
    return replace(told, ways=ways, line=line, source=", ".join([told.source, *(f"{name} assumed" for name in guessed)]))


def from_sysfs(cpu: Path = Path("/sys/devices/system/cpu/cpu0")) -> list[Cache]:
    """Linux (Documentation/ABI/testing/sysfs-devices-system-cpu)."""
    found = []
    for index in sorted(cpu.glob("cache/index*")):
        fact = {
            file.name: file.read_text(encoding="utf-8").strip()
            for file in index.iterdir()
            if file.is_file() and file.name != "uevent"
        }
        if fact.get("type") == "Instruction":
            continue
        found.append(
            Cache(
                level=_number(fact.get("level")),
                size=_number(fact.get("size", "").removesuffix("K")) << 10,
                ways=_number(fact.get("ways_of_associativity")),
                line=_number(fact.get("coherency_line_size")),
                shared_by=_count(fact.get("shared_cpu_list", "")),
                source="sysfs",
            )
        )
    return found


def from_lscpu() -> list[Cache]:
    """util-linux, which reads CPUID or the device tree where sysfs is empty."""
    done = subprocess.run(["lscpu", "-B", "-J", "-C"], capture_output=True, text=True, timeout=5, check=True)
    found = []
    for row in json.loads(done.stdout)["caches"]:
        level, size = _number(row.get("level")), _number(row.get("one-size"))
        if row.get("type") != "Instruction":
            sharers = _number(row.get("all-size")) // size if level > 2 and size else 1
            ways, line = _number(row.get("ways")), _number(row.get("coherency-size"))
            found.append(Cache(level, size, ways, line, max(1, sharers), "lscpu"))
    return found


def from_sysctl() -> list[Cache]:
    """MacOS (man 3 sysctl); it does not tell the ways, so those are assumed."""
    names = ["hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize", "hw.cachelinesize"]
    done = subprocess.run(["sysctl", *names], capture_output=True, text=True, timeout=5)
    fact = {name: _number(value) for name, _, value in (line.partition(": ") for line in done.stdout.splitlines())}
    line = fact.get("hw.cachelinesize", 0)
    return [
        replace(assumed, size=fact[name], line=line, source="sysctl")
        for assumed, name in zip(ASSUMED, names, strict=False)
        if fact.get(name)
    ]


def from_cpuinfo() -> list[Cache]:
    """py-cpuinfo, which knows sizes on Windows too; ways and lines are assumed."""
    import cpuinfo

    fact = cpuinfo.get_cpu_info()
    names = ["l1_data_cache_size", "l2_cache_size", "l3_cache_size"]
    return [
        replace(assumed, size=int(fact[name]), source="py-cpuinfo")
        for assumed, name in zip(ASSUMED, names, strict=True)
        if isinstance(fact.get(name), int) and fact[name]
    ]


SOURCES: tuple[Callable[[], list[Cache]], ...] = (from_sysfs, from_lscpu, from_sysctl, from_cpuinfo)


def _number(text: str | None) -> int:
    """A whole number, 0 if there is none."""
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _count(cpus: str) -> int:
    """Number of CPUs in a list such as "0-3,8"; 1 if it is not one."""
    spans = [span.partition("-") for span in cpus.split(",")]
    try:
        return max(1, sum(int(last or first) - int(first) + 1 for first, _, last in spans))
    except ValueError:
        return 1
