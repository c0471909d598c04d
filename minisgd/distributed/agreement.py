"""Whether all ranks are about to do the same: one with other data or settings would spoil the sums of all, or wait for ever."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import minisgd
from minisgd.common.cli import UsageError
from minisgd.data import Problem
from minisgd.distributed.transport import Inquiry
from minisgd.train import Settings

PACKAGES = ("kernels", "minisgd")

Facts = dict[str, object]


def facts_of(problem: Problem, settings: Settings) -> Facts:
    """What ranks must have in common, each under the name that a message gives it."""
    content = sha256(problem.x.tobytes() + problem.y.tobytes()).hexdigest()[:12]
    shapes = f"x {problem.x.shape}, y {problem.y.shape}"
    data = {"data": problem.name, "shapes": shapes, "content of the data": content, "code": code()}
    return data | {name.replace("_", " "): value for name, value in asdict(settings).items()}


def code() -> str:
    """A digest of the sources of the installed packages."""
    digest, root = sha256(), Path(minisgd.__path__[0]).parent
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def agree(inquiry: Inquiry, facts: Facts) -> None:
    """Compare with the other ranks.

    Raises
    ------
    UsageError
        On all ranks alike, that names each rank that differs from rank 0, and in what.
    RankFailed
        If a rank does not answer.
    """
    first, *others = inquiry.exchange(facts)
    differing = [
        f"rank {rank} has {name} {facts.get(name)!r}, rank 0 {first.get(name)!r}"
        for rank, facts in enumerate(others, start=1)
        for name in first.keys() | facts.keys()
        if facts.get(name) != first.get(name)
    ]
    if differing:
        raise UsageError(f"{'; '.join(sorted(differing))}; expected all ranks to be started alike")
