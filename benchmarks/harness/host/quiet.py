"""Whether this machine is fit to measure on: who else is at work on it, and what holds its processors back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.harness.host.quota import quota
from benchmarks.harness.host.threads import CPUS, cpus

WATCH_S = 0.3
BUSY = 0.1
"""A share of the processors' time; a system at rest uses a few hundredths."""

STOLEN = 0.02

Watched = tuple[float, float]


def complaint() -> str | None:
    """What is wrong with this machine, in one line; None if nothing is. Watches it for `WATCH_S`."""
    found = [*_others(watch()), *_governors(), *_quota()]
    return f"This machine is not quiet: {'; '.join(found)}. Figures may be low, and intervals wide." if found else None


def watch(wait: Callable[[float], None] = time.sleep) -> Watched:
    """Shares of the time of the processors that this process may use: at work, for whomever, and stolen by other machines."""
    before = psutil.cpu_times(percpu=True)
    wait(WATCH_S)
    used = stolen = total = 0.0
    allowed = cpus() or range(len(before))
    for cpu, (then, now) in enumerate(zip(before, psutil.cpu_times(percpu=True), strict=True)):
        if cpu in allowed:
            spent = {name: getattr(now, name) - getattr(then, name) for name in now._fields if not name.startswith("guest")}
            steal = spent.get("steal", 0.0)  # Linux alone tells
            total += sum(spent.values())
            stolen += steal
            used += sum(spent.values()) - spent["idle"] - spent.get("iowait", 0.0) - steal
    return (used / total, stolen / total) if total else (0.0, 0.0)


def _others(watched: Watched) -> list[str]:
    used, stolen = watched
    said = [f"{used * CPUS:.1f} of {CPUS} cores are at work for others"] if used > BUSY else []
    return said + ([f"{100 * stolen:.0f} % of their time goes to other virtual machines"] if stolen > STOLEN else [])


def _governors(system: Path = Path("/sys/devices/system/cpu")) -> list[str]:
    """Linux (Documentation/admin-guide/pm/cpufreq.rst)."""
    found = {file.read_text(encoding="utf-8").strip() for file in system.glob("cpu[0-9]*/cpufreq/scaling_governor")} - {
        "performance"
    }
    return [f"the frequency governor is {', '.join(sorted(found))}, not performance"] if found else []


def _quota() -> list[str]:
    cores = quota()
    return [f"a quota of {cores:g} of {CPUS} cores"] if cores is not None and cores < CPUS else []
