"""A sweep spread over machines: each measures its part of the cases, and the parts are joined.

The cases are dealt out like cards. Neighbours in the list cost alike, so the parts take about the same time. A case is on one
machine in all its rounds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from benchmarks.harness.fields import Count, Model, Name
from minisgd.common.cli import UsageError

if TYPE_CHECKING:
    from benchmarks.harness.records import Case


class Shard(Model):
    """Which part of which list of cases a run measured."""

    number: int = Field(ge=1)
    of: int = Field(ge=1)
    preset: Name = Field(description="the preset, or the workload where there is none")
    cases: Count = Field(description="in the whole list")
    digest: Name = Field(description="SHA-256 of the whole list: machines with other kernels would deal out another one")
    finished: bool = Field(default=True, description="whether all rounds are there; files from before this was told say so")

    @property
    def name(self) -> str:
        """As it is typed."""
        return f"{self.number}/{self.of}"

    def part(self, cases: Sequence[Case]) -> list[Case]:
        """The cases of this shard."""
        return list(cases[self.number - 1 :: self.of])


def parse(text: str, preset: str, cases: Sequence[Case]) -> Shard:
    """The shard i/n of a list.

    Raises
    ------
    UsageError
        If it is not two whole numbers with 1 <= i <= n, or there are fewer cases than shards.
    """
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    number, of = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= of:
        raise UsageError(f"--shard {text}: expected i/n with i from 1 to n, such as 1/2 on one machine and 2/2 on another")
    if of > len(cases):
        raise UsageError(
            f"--shard {text}: {len(cases)} cases cannot be dealt out to {of} machines; expected n up to {len(cases)}"
        )
    listed = "\n".join(case.model_dump_json() for case in cases)
    digest = hashlib.sha256(listed.encode()).hexdigest()
    return Shard(number=number, of=of, preset=preset, cases=len(cases), digest=digest)
