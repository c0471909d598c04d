"""What a gate found, as it is kept and shown."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from benchmarks.gate.verdict import Judgement, Verdict, overall
from benchmarks.harness.fields import Model
from benchmarks.harness.machines import Machine
from benchmarks.harness.records import Case


class Row(Model):
    """A benchmark's verdict with its grounds; ratio and bounds are seconds of head over seconds of base."""

    case: Case
    verdict: Verdict
    ratio: float | None = None
    low: float | None = Field(default=None, description="None before the first look")
    high: float | None = None
    blocks: int = 0
    logs: list[float] = Field(default_factory=list, description="log(head / base) of each block")
    failure: str | None = None
    untimed: str | None = Field(default=None, description="why no clock was asked: both sides run the same")


class Change(Model):
    """A figure that needs no statistics, and differs: of a kernel's compiled code, memory or calls; and its budget, if any."""

    kernel: str
    figure: str
    base: float | None
    head: float | None
    most: float | None = None

    @property
    def exceeds(self) -> bool:
        """Whether head is above the kernel's own budget."""
        return self.most is not None and self.head is not None and self.head > self.most


class Outcome(Model):
    """All that one gate found."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    base: str
    head: str
    repo: str | None = Field(default=None, description="the clone that was gated, as it was given; None: the suite's own")
    tests: str | None = Field(default=None, description="the file of tests that was gated, as it was given")
    min_effect: float
    budget_s: float
    seconds: float
    machine: Machine
    rows: list[Row]
    changes: list[Change] = Field(default_factory=list)
    left_out: dict[str, list[str]] = Field(default_factory=dict, description="kernels that were not measured, by reason")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    @property
    def status(self) -> int:
        """Exit status: 1 a regression or a failure, 4 nothing measured, 3 something inconclusive, 0 none of these."""
        verdicts = {row.verdict for row in self.rows}
        if verdicts & {Verdict.SLOWER, Verdict.FAILED} or any(change.exceeds for change in self.changes):
            return 1
        if not self.rows:
            return 4
        return 3 if Verdict.INCONCLUSIVE in verdicts else 0

    @property
    def suite(self) -> Judgement | None:
        """The geometric mean over all benchmarks."""
        return overall([row.logs for row in self.rows if row.logs])
