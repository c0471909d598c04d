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


@cache
def caches() -> tuple[Cache, ...]:
    """Data caches from the first level outwards, by the first source that knows of one.

    Examples
    --------
    >>> caches()[0].level
    1
    """
    for source in SOURCES:
        try:
            found = source()
        except (OSError, ValueError, KeyError, ImportError, subprocess.SubprocessError):
            continue
        if found:
            return tuple(sorted(found, key=lambda each: each.level))
    return ASSUMED


def from_sysfs(cpu: Path = Path("/sys/devices/system/cpu/cpu0")) -> list[Cache]:
    """Linux (Documentation/ABI/testing/sysfs-devices-system-cpu)."""
    found = []
    for index in sorted(cpu.glob("cache/index*")):
        fact = {file.name: file.read_text().strip() for file in index.iterdir() if file.is_file() and file.name != "uevent"}
        if fact["type"] == "Instruction":
            continue
        found.append(
            Cache(
                level=int(fact["level"]),
                size=int(fact["size"].removesuffix("K")) << 10,
                ways=int(fact["ways_of_associativity"]),
                line=int(fact["coherency_line_size"]),
                shared_by=_count(fact["shared_cpu_list"]),
                source="sysfs",
            )
        )
    return found


def from_lscpu() -> list[Cache]:
    """util-linux, which reads CPUID or the device tree where sysfs is empty."""
    done = subprocess.run(["lscpu", "-B", "-J", "-C"], capture_output=True, text=True, timeout=5, check=True)
    return [
        Cache(
            level=int(row["level"]),
            size=int(row["one-size"]),
            ways=int(row["ways"]),
            line=int(row["coherency-size"]),
            shared_by=max(1, int(row["all-size"]) // int(row["one-size"])) if int(row["level"]) > 2 else 1,
            source="lscpu",
        )
        for row in json.loads(done.stdout)["caches"]
        if row["type"] != "Instruction"
    ]


def from_sysctl() -> list[Cache]:
    """MacOS (man 3 sysctl); it does not tell the ways, so those are assumed."""
    names = ["hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize", "hw.cachelinesize"]
    done = subprocess.run(["sysctl", *names], capture_output=True, text=True, timeout=5)
    fact = {name: int(value) for name, _, value in (line.partition(": ") for line in done.stdout.splitlines())}
    line = fact["hw.cachelinesize"]
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


def _count(cpus: str) -> int:
    """Number of CPUs in a list such as "0-3,8"."""
    spans = [span.partition("-") for span in cpus.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in spans)
