"""How much of the processors' time this process may use, where a container or a batch system limits it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def quota(groups: Path = Path("/sys/fs/cgroup"), mine: Path = Path("/proc/self/cgroup")) -> float | None:
    """Cores' worth of time that this process's control groups may use, the least of all levels; None without a limit.

    Notes
    -----
    Linux, cgroup v2's cpu.max and v1's cpu.cfs_quota_us (Documentation/admin-guide/cgroup-v2.rst, scheduler/sched-bwc.rst). In a
    container the paths that the process is told may lie outside what it can see: the root is looked at in any case.
    """
    limits = []
    with suppress(OSError):
        for line in mine.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            root = groups / controllers if controllers else groups
            own = Path(path.strip("/"))
            for folder in {root, *(root / each for each in (own, *own.parents))}:
                limits.append(_limit(folder))
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(folder: Path) -> float | None:
    with suppress(OSError, ValueError):
        if (file := folder / "cpu.max").exists():
            allowed, period = file.read_text(encoding="utf-8").split()
        else:
            allowed, period = ((folder / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period"))
        if int(allowed) > 0 and int(period) > 0:
            return int(allowed) / int(period)
    return None
